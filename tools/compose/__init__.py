"""docker-compose.yml without Docker: each container as a process in namespaces of its own.

    sudo .venv/bin/python -m tools.compose up --scale worker=4

It runs exactly the file's commands with exactly the file's environment, users, networks, mounts and health checks; in
place of each image stands what this machine has (`images`). Wanted: Linux, root, iproute2 and util-linux. The host's
own network is not touched, and all that is started dies with the process that started it.

    file      docker-compose.yml → services, as plain data
    images    what stands in for each image, and what the image itself would say
    wires     networks: a bridge for each, in a network namespace that holds nothing else
    rooms     a container: namespaces, a root of its own, one process as number 1
    script    what that process does before it is the service
    runner    all of it together: up, scale, stop, kill, health, what listens where
    forward   a published port

Not done: limits of memory and processes, logging drivers, restarts.
"""
