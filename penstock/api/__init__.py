"""The HTTP API: crawls created, steered, listed and watched; the dashboard's files; health and metrics.

It publishes commands and reads read models, as the command line does, and nothing else.

    app         the application: routers, guards, errors, put together
    house       what requests share: settings, bus, database, spiders, the hub of watchers
    guards/     what every request passes: host names, origins, the token, body size, headers
    problems    every error as RFC 9457 problem details
    models      the shapes of bodies, which are the OpenAPI document
    server      uvicorn with our logs and our way to end
"""
