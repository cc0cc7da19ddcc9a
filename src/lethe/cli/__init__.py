"""The hands: verbs for a terminal.

Two kinds of verbs stand here. Those over the wire (`workorder`, `ttl`, `dataset`, `namespace`, `quota`, `verify`,
`certificate get`) see the client and nothing of the server. A server's own (`serve`, `worker`, `config`, `doctor`,
`audit`) see its settings and the wiring; they import it when they run, so that the others start at once.
"""
