"""What the services of Amazon share: credentials by botocore's usual chain, clients of boto3 that send once."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import boto3
import botocore.session
from botocore.client import BaseClient
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProxyConnectionError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from translate.delivery.answers import (
    Advice,
    Answer,
    Silence,
    Told,
    address_of,
    code_of,
    json_bytes,
    request_id_of,
    retry_after,
    sort_refusal,
    sort_silence,
)
from translate.delivery.endpoints import Endpoint, Outgoing, Target, tls_silence
from translate.delivery.secrets import MASK, Secrets
from translate.errors import UsageError
from translate.reader.shipments import Shipment

MISSING = "no AWS credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, and run it again"
AGENT = f"Boto3/{boto3.__version__} Botocore/{botocore.__version__}"
SECRET_HEADERS = frozenset({"authorization", "x-amz-security-token"})
CREDENTIAL_ERRORS = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)
# What a serializer raises for a value that is not of the model's type and that validation lets pass.
SERIALIZER_ERRORS = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
NOT_CONNECTED = {
    EndpointConnectionError: "connection_refused",
    ProxyConnectionError: "proxy_refused",
    ConnectTimeoutError: "connect_timeout",
}


class Identity:
    """The sender's credentials, looked up when first asked for, and renewed by botocore if they are temporary."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._lock = threading.Lock()
        self._found: Any = None

    def current(self) -> ReadOnlyCredentials | Silence:
        """Give the credentials to sign with now, or why there are none."""
        try:
            with self._lock:
                if self._found is None:
                    self._found = botocore.session.Session().get_credentials()
            if self._found is None:
                return Silence("no_credentials", "", lost=False, stop=MISSING)
            frozen = self._found.get_frozen_credentials()
        except (EndpointConnectionError, ConnectTimeoutError, ReadTimeoutError) as error:
            return Silence("credentials_unreachable", str(error), lost=False)
        except (BotoCoreError, ClientError, RuntimeError, ValueError) as error:
            return Silence("no_credentials", str(error), lost=False, stop=f"{MISSING} ({error})")
        self._secrets.remember(frozen.access_key, frozen.secret_key, frozen.token)
        return frozen


class ShownError(Exception):
    """Carries the request that a client was about to send."""

    def __init__(self, request: Any) -> None:
        super().__init__("shown, not sent")
        self.request = request


class BotoEndpoint(Endpoint):
    """A service with a client in boto3, whose `put_events` takes the shipment's request as it is."""

    service: str
    advice: Advice

    def __init__(self, target: Target, secrets: Secrets) -> None:
        super().__init__(target, secrets)
        self._identity = Identity(secrets)
        self._lock = threading.Lock()
        self._sender: BaseClient | None = None
        self._shower: BaseClient | None = None
        self._thread = threading.local()

    def _arguments(self, shipment: Shipment) -> dict[str, Any]:
        """Give what `put_events` is called with."""
        arguments: dict[str, Any] = shipment.request
        return arguments

    def _shown(self, shipment: Shipment, sequence: int) -> Outgoing:  # noqa: ARG002 - nothing here is numbered
        """Give the request as boto3 would send it; looks for no credentials."""
        request = self._drawn(shipment)
        if request is None:
            return Outgoing("POST", self._target.endpoint or "", {}, json_bytes(shipment.request))
        told = {name: _text(value) for name, value in request.headers.items()}
        headers = {name: MASK if name.lower() in SECRET_HEADERS else text for name, text in told.items()}
        return Outgoing(request.method, request.url, headers, _text(request.body).encode())

    def close(self) -> None:
        """Let go of all connections."""
        with self._lock:
            for client in (self._sender, self._shower):
                if client is not None:
                    client.close()
            self._sender = self._shower = None

    @abstractmethod
    def _accepted(self, response: dict[str, Any], shipment: Shipment) -> Answer:
        """Sort the answer of a call that did not fail."""

    def _refused(self, told: Told, count: int) -> Answer:
        return sort_refusal(told, count, self.advice)

    def _send(self, shipment: Shipment, sequence: int) -> Answer:  # noqa: ARG002 - nothing here is numbered
        count = len(shipment.events)
        self._thread.written = False
        opened = self._opened()
        if isinstance(opened, Silence):
            return sort_silence(opened, count)
        client, identity = opened
        try:
            return self._call(client, identity, shipment)
        except ClientError as error:
            return self._refused(told_in(error.response), count)
        except ParamValidationError as error:
            return Answer.all_refused(count, "ParamValidation", str(error))
        except BotoCoreError as error:
            return sort_silence(self._silence(error), count)
        except (ResponseParserError, *SERIALIZER_ERRORS) as error:
            return self._unreadable(error, count)

    def _call(self, client: BaseClient, identity: ReadOnlyCredentials, shipment: Shipment) -> Answer:  # noqa: ARG002 - boto3 finds its own
        """Send the request by boto3; give what came of it."""
        return self._accepted(client.put_events(**self._arguments(shipment)), shipment)

    def _opened(self) -> tuple[BaseClient, ReadOnlyCredentials] | Silence:
        """Give the client and who signs, or why there is none: nothing that the events could be blamed for."""
        identity = self._identity.current()
        if isinstance(identity, Silence):
            return identity
        try:
            return self._client(), identity
        except (BotoCoreError, ValueError) as error:
            hint = f"check the AWS settings, the region and the endpoint: {error}"
            return Silence(type(error).__name__, str(error), lost=False, stop=hint)

    def _unreadable(self, error: Exception, count: int) -> Answer:
        """Sort what botocore stumbled over: an answer, if the request was on its way, or else the request."""
        if self._thread.written:
            return Answer.all_again(count, "unreadable_answer", str(error), lost=True)
        return Answer.all_refused(count, type(error).__name__, str(error))

    def _silence(self, error: BotoCoreError) -> Silence:
        tls = tls_silence(error)
        if tls is not None:
            return tls
        for kind, code in NOT_CONNECTED.items():
            if isinstance(error, kind):
                return Silence(code, str(error), lost=False)
        if isinstance(error, CREDENTIAL_ERRORS):
            return Silence("no_credentials", str(error), lost=False, stop=MISSING)
        if isinstance(error.kwargs.get("error"), ValueError):
            # The words quote the header or address that cannot be, perhaps in part, and it may be a secret.
            hint = "a header or address cannot be: look for line breaks in credentials, and where the endpoint redirects to"
            return Silence(type(error).__name__, "not HTTP", lost=True, stop=hint)
        if not self._thread.written:
            stop = f"check the AWS settings: {error}"
            return Silence(type(error).__name__, str(error), lost=False, stop=stop)
        code = "read_timeout" if isinstance(error, ReadTimeoutError) else "connection_lost"
        return Silence(code, str(error), lost=True)

    def _client(self) -> BaseClient:
        with self._lock:
            if self._sender is None:
                self._sender = self._made(boto3.session.Session())
                self._sender.meta.events.register("before-send", self._note_written)
            return self._sender

    def _note_written(self, **_: Any) -> None:
        self._thread.written = True

    def _drawn(self, shipment: Shipment) -> Any:
        """Let boto3 write the request, and take it away before it is sent; None if it cannot be written."""
        try:
            with self._lock:
                if self._shower is None:
                    self._shower = self._made(boto3.session.Session(MASK, MASK))
                    self._shower.meta.events.register("before-send", _show)
            self._shower.put_events(**self._arguments(shipment))
        except ShownError as shown:
            return shown.request
        except ParamValidationError:
            return None
        except BotoCoreError as error:
            raise UsageError(f"boto3 cannot write the request: {self._secrets.told(str(error))}") from None
        except SERIALIZER_ERRORS:
            return None
        return None

    def _made(self, session: boto3.session.Session) -> BaseClient:
        """Make a client that sends once; only the target says where to, no variable or profile of AWS."""
        target = self._target
        config = Config(
            retries={"total_max_attempts": 1, "mode": "standard"},
            connect_timeout=target.connect_seconds,
            read_timeout=target.read_seconds,
            max_pool_connections=target.max_in_flight,
            user_agent=AGENT,  # a fixed one: boto3's own is put together anew twice for each request
            user_agent_extra=target.user_agent,
            parameter_validation=True,
            ignore_configured_endpoint_urls=True,
        )
        where = {"region_name": target.region, "endpoint_url": target.endpoint}
        return session.client(self.service, **where, config=config)


def told_in(response: Mapping[str, Any]) -> Told:
    """Read what boto3 tells of an answer beside its content."""
    metadata = response.get("ResponseMetadata", {})
    headers = metadata.get("HTTPHeaders", {})
    failure = response.get("Error", {})
    request_id = metadata.get("RequestId") or request_id_of(headers) or response.get("RequestID")
    code = code_of(str(failure.get("Code", "")))
    status = int(metadata.get("HTTPStatusCode", 0))
    return Told(
        status, code, str(failure.get("Message", "")), request_id, retry_after(headers), address_of(headers)
    )


def _show(request: Any, **_: Any) -> None:
    raise ShownError(request)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
