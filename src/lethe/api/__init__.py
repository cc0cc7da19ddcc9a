"""The edge: one module a resource. Authenticate, call one operation, render.

A request passes, in this order: request id and size limit (`middleware`), headers and permission (`gate`), the body
or the query into a contract shape, one operation in one transaction, the contract shape of the answer. Every refusal
becomes an answer in `problems`, and nowhere else.
"""
