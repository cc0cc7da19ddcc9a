"""Identifiers, each with a type of its own, so that one is never passed for another."""

from typing import NewType
from uuid import UUID

OrgId = NewType("OrgId", str)
SandboxName = NewType("SandboxName", str)
ClientId = NewType("ClientId", str)
DatasetId = NewType("DatasetId", str)
SchemaId = NewType("SchemaId", str)
NamespaceId = NewType("NamespaceId", int)
ExpirationId = NewType("ExpirationId", UUID)
WorkOrderId = NewType("WorkOrderId", UUID)
BundleId = NewType("BundleId", UUID)
TaskId = NewType("TaskId", UUID)
EventId = NewType("EventId", UUID)
WebhookId = NewType("WebhookId", UUID)
DeliveryId = NewType("DeliveryId", UUID)
