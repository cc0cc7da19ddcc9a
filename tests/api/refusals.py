"""What tests check of a refusal."""

from typing import Any


def refused(response: Any, status: int, code: str, field: str | None = None) -> dict[str, Any]:
    """Check a problem document through and through; gives its additional context."""
    answer = response.json()
    assert (response.status_code, answer.get("error_code")) == (status, f"HYGN-{code}-{status}"), answer
    assert response.headers["content-type"] == "application/problem+json"
    assert list(answer) == ["type", "title", "status", "detail", "error_code", "message", "report", "error-chain"]
    assert answer["type"] == f"http://ns.adobe.com/aep/errors/HYGN-{code}-{status}"
    assert answer["status"] == status
    assert answer["message"] == answer["detail"] != ""
    link = answer["error-chain"][0]
    assert (link["serviceId"], link["invokingServiceId"], link["errorCode"]) == ("HYGN", "HYGN", answer["error_code"])
    assert isinstance(link["unixTimeStampMs"], int)
    context: dict[str, Any] = answer["report"]["additionalContext"]
    assert context.get("field") == field, answer
    if field is not None:
        assert answer["detail"].startswith(f"{field}: "), answer
    return context
