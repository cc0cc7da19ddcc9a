"""Runs one version of aepp: reads a configuration and then calls from standard input, a JSON object a line.

The configuration is what a user of aepp would write, nothing of aepp is replaced:

- `static`: `configure(environment="support", endpoint=…, accesstoken=…)`. The library then also reads
  `config_object["connectionType"]`, which its `configure` leaves out.
- `oauth`: `configure(environment="support", endpoint=…, scopes=…)`, with the token endpoint of `config_object`.

Only the class Identity makes up a host of its own; its attribute `endpoint` is set, as there is no setting for it.
"""

import json
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any

CLASSES = {
    "Hygiene": "hygiene",
    "Sandboxes": "sandboxes",
    "Catalog": "catalog",
    "Identity": "identity",
    "Schema": "schema",
}


def configured(settings: dict[str, Any]) -> Any:
    """Configure the library; gives its package."""
    aepp = import_module("aepp")
    known = {
        "org_id": settings["org_id"],
        "client_id": settings["client_id"],
        "secret": settings["secret"],
        "sandbox": settings["sandbox"],
        "environment": "support",
        "endpoint": settings["url"],
    }
    config = import_module("aepp.config").config_object
    match settings["mode"]:
        case "static":
            aepp.configure(**known, accesstoken=settings["token"])
            config["connectionType"] = "support"
        case "oauth":
            aepp.configure(**known, scopes="openid,AdobeID")
            config["imsEndpoint"] = settings["url"]
            config["oauthTokenEndpointV2"] = f"{settings['url']}/ims/token/v3"
    return aepp


def main() -> None:
    """Configure, then make one call a line, and answer each with a line."""
    # The library prints; what it prints is not an answer.
    answers, sys.stdout = sys.stdout, sys.stderr
    settings = json.loads(sys.stdin.readline())
    configured(settings)
    made: dict[str, Any] = {}

    def answer(**what: Any) -> None:
        answers.write(json.dumps(what) + "\n")
        answers.flush()

    answer(version=version("aepp"), file=import_module("aepp").__file__)
    for line in sys.stdin:
        call = json.loads(line)
        try:
            name = call["class"]
            if name not in made:
                made[name] = getattr(import_module(f"aepp.{CLASSES[name]}"), name)()
                if name == "Identity":
                    made[name].endpoint = f"{settings['url']}/data/core"
            result = getattr(made[name], call["method"])(**call["arguments"])
        except Exception as error:  # noqa: BLE001 - the caller is told
            answer(error=type(error).__name__, message=str(error))
        else:
            answer(result=result)


if __name__ == "__main__":
    main()
