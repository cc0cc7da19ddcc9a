"""Points `aepp`, a client of the published API, at Lethe: the same calls, another endpoint.

    pip install aepp
    python point_aepp_at_lethe.py 5b020a27e7040801dedbf46e

Three lines differ from a program that calls the published API: the endpoint, and where tokens come from. The dataset
is given an expiration, which is looked up, and called off again.
"""

import os
import sys
from datetime import UTC, datetime, timedelta

import aepp
from aepp.config import config_object
from aepp.hygiene import Hygiene


def main() -> None:
    """Call Lethe with aepp."""
    dataset_id = sys.argv[1]
    url = os.environ["LETHE_URL"]
    aepp.configure(
        org_id=os.environ["LETHE_ORG"],
        client_id=os.environ["LETHE_API_KEY"],
        secret=os.environ["LETHE_CLIENT_SECRET"],
        sandbox=os.environ.get("LETHE_SANDBOX", "prod"),
        scopes="openid",
        environment="support",
        endpoint=url,
    )
    config_object["imsEndpoint"] = url
    config_object["oauthTokenEndpointV2"] = f"{url}/ims/token/v3"

    hygiene = Hygiene()
    for quota in hygiene.getQuotas():
        print(f"{quota['name']}: {quota['consumed']:,} of {quota['quota']:,}")
    expiry = (datetime.now(UTC) + timedelta(days=90)).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = hygiene.createDatasetExpiration(datasetId=dataset_id, expiry=expiry, name="By aepp")
    print(f"{made['ttlId']}: {made['status']}, {made['expiry']}")
    hygiene.deleteDatasetExpiration(made["ttlId"])
    print(hygiene.getDatasetExpiration(ttlId=made["ttlId"])["status"])


if __name__ == "__main__":
    main()
