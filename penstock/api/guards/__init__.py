"""What every request passes before any route sees it, each in a file: a plain ASGI middleware.

headers  every answer: what browsers may do with it
errors   what nobody foresaw: logged, and answered without a traceback
names    the Host header: against DNS rebinding
origins  requests that change something: not from another site's page
tokens   who asks: bearer token, or the session's cookie
bodies   how much may be sent
"""
