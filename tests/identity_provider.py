"""A small OpenID Connect provider that lets everybody in as the one person it knows."""

import threading
import time
from contextlib import contextmanager
from urllib.parse import parse_qs, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

SUBJECT, CLIENT = "248289761001", "graftsite"


@contextmanager
def providing(port):
    """Serve on a port; yield the issuer."""
    issuer, key, nonces = f"http://127.0.0.1:{port}", RSAKey.generate_key(2048), {}

    async def metadata(_request):
        places = {
            "authorization_endpoint": "/authorize",
            "token_endpoint": "/token",
            "jwks_uri": "/keys",
        }
        return JSONResponse({"issuer": issuer, **{k: issuer + v for k, v in places.items()}})

    async def authorize(request):
        asked = request.query_params
        nonces["code"] = asked.get("nonce")
        back = urlencode({"code": "code", "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", 303)

    async def token(request):
        asked = parse_qs((await request.body()).decode("ascii"))
        now = int(time.time())
        claims = {"iss": issuer, "sub": SUBJECT, "aud": CLIENT, "iat": now, "exp": now + 300,
                  "auth_time": now, "nonce": nonces[asked["code"][0]]}  # fmt: skip
        signed = jwt.encode({"alg": "RS256", "kid": "1"}, claims, key)
        return JSONResponse({"access_token": "a", "token_type": "Bearer", "id_token": signed})

    async def keys(_request):
        return JSONResponse({"keys": [{**key.as_dict(private=False), "kid": "1"}]})

    handlers = {"/.well-known/openid-configuration": metadata, "/authorize": authorize,
                "/keys": keys}  # fmt: skip
    routes = [Route(path, handler) for path, handler in handlers.items()]
    routes.append(Route("/token", token, methods=["POST"]))
    config = uvicorn.Config(Starlette(routes=routes), port=port, log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield issuer
    server.should_exit = True
    thread.join()
