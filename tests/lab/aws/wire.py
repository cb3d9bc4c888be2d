"""AWS's protocols, as botocore's models describe them: a request becomes an operation with parameters, and a result
becomes a response. What does not fit the model is a mistake, on either side."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

import botocore.session
from botocore.validate import ParamValidator
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.serialize import get_serializer_class
from requests.structures import CaseInsensitiveDict

from .service import AwsError

COMMON = frozenset(
    """
    AccessDenied AccessDeniedException ExpiredToken ExpiredTokenException IncompleteSignature InternalError
    InternalFailure InternalServiceError InternalServerException InvalidClientTokenId InvalidParameterCombination
    InvalidParameterValue InvalidSignatureException MissingAuthenticationToken MissingParameter OptInRequired
    RequestExpired RequestLimitExceeded RequestTimeTooSkewed ServiceUnavailable SignatureDoesNotMatch SlowDown
    Throttling ThrottlingException TooManyRequestsException UnauthorizedOperation UnrecognizedClientException
    ValidationError ValidationException HealthUnavailable InternalServerError ServiceUnavailableException
    ConditionalRequestConflict PreconditionFailed NoSuchBucket NoSuchKey
    """.split()  # noqa: SIM905  one per line would be a page
)
"""Codes that any operation may answer with, and S3's, which no model names."""
OF_S3 = frozenset(
    """
    AllAccessDisabled AuthorizationHeaderMalformed BadDigest EntityTooLarge InvalidAccessKeyId
    IllegalLocationConstraintException InternalError
    InvalidArgument InvalidBucketName InvalidDigest InvalidRequest KMS.DisabledException KMS.NotFoundException
    MalformedPolicy MalformedXML MethodNotAllowed NoSuchBucketPolicy NoSuchVersion NotImplemented
    ObjectLockConfigurationNotFoundError PermanentRedirect InvalidBucketState
    """.split()  # noqa: SIM905  see above
)
"""Codes of S3 alone."""


class Request(NamedTuple):
    """One HTTP request. ``headers`` in lower case."""

    method: str
    path: str
    """With its query."""
    headers: Mapping[str, str]
    body: bytes

    @property
    def signer(self) -> tuple[str, str, str]:
        """Access key, region and the name under which the service signs; empty when nothing is signed."""
        signed = self.headers.get("authorization", "") or unquote(self.path.partition("?")[2])
        found = re.search(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request", signed)
        return (found[1], found[2], found[3]) if found else ("", "", "")


@cache
def model_of(service: str) -> ServiceModel:
    """Botocore's model of a service."""
    return ServiceModel(botocore.session.get_session().get_service_data(service), service)


@cache
def signing_name(service: str) -> str:
    """The name in the scope of a signature: ``elasticloadbalancing`` for ``elbv2``."""
    return str(model_of(service).signing_name)


def understood(service: str, request: Request) -> tuple[OperationModel, dict[str, Any], str]:
    """The operation that is asked for, its parameters, and the protocol. Raises ``AwsError`` when the model refuses."""
    model = model_of(service)
    url = urlsplit(request.path)
    values = dict(parse_qsl(url.query, keep_blank_values=True))
    uri_match: dict[str, str] = {}
    if target := request.headers.get("x-amz-target"):
        protocol, name = "json", target.rpartition(".")[2]
    elif model.protocol in {"query", "ec2"}:
        protocol = str(model.protocol)
        values.update(parse_qsl(request.body.decode(), keep_blank_values=True))
        name = values.get("Action", "")
    else:
        protocol = str(model.protocol)
        name, uri_match = _routed(service, request, url.path, values)
    operation = model.operation_model(name)
    params = PROTOCOL_PARSERS[protocol](operation).parse(
        {
            "method": request.method,
            "values": values,
            "headers": CaseInsensitiveDict(request.headers),
            "body": _unchunked(request),
            "url_path": url.path,
            "url_params": uri_match,
        }
    )
    if operation.input_shape is not None:
        report = ParamValidator().validate(params, operation.input_shape)
        if report.has_errors():
            raise AwsError("ValidationException", report.generate_report())
    return operation, dict(params), protocol


def answered(operation: OperationModel, protocol: str, result: Any) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body. Raises ``AssertionError`` when the result is not what the model says."""
    result = result or {}
    if operation.output_shape is not None:
        report = ParamValidator().validate(result, operation.output_shape)
        assert not report.has_errors(), f"{operation.name}: {report.generate_report()}"
    kind = get_serializer_class(str(operation.service_model.service_name), protocol)
    made = kind(operation).serialize(result)
    body = made["body"]
    headers = {str(key): str(value) for key, value in made["headers"].items()}
    return int(made["status_code"]), headers, body if isinstance(body, bytes) else str(body).encode()


def refused(operation: OperationModel | None, protocol: str, error: AwsError) -> tuple[int, dict[str, str], bytes]:
    """An error on the wire. Raises ``AssertionError`` for a code that this operation never answers with."""
    is_known = error.code in COMMON or (protocol == "rest-xml" and error.code in OF_S3)
    if operation is not None and not is_known:
        known = {shape.metadata.get("error", {}).get("code") or shape.name for shape in operation.error_shapes}
        assert error.code in known, f"{operation.name} never answers {error.code}: {sorted(known)}"
    if protocol in {"query", "rest-xml", "ec2"}:
        told = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
        is_s3, region = protocol == "rest-xml", error.headers.get("x-amz-bucket-region")
        told += f"<Region>{region}</Region>" if region else ""
        text = f"<Error>{told}</Error>" if is_s3 else f"<ErrorResponse><Error><Type>Sender</Type>{told}</Error>"
        text += "" if is_s3 else "<RequestId>lab</RequestId></ErrorResponse>"
        return error.status, {"content-type": "text/xml", **error.headers}, text.encode()
    body = json.dumps({"__type": error.code, "message": error.message, "Message": error.message})
    headers = {"content-type": "application/x-amz-json-1.1", "x-amzn-errortype": error.code}
    return error.status, headers, body.encode()


def _routed(service: str, request: Request, path: str, values: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The operation at a path: of several, the one that says most of what is in the query."""
    found = None
    for route in _routes(service):
        match = route.pattern.fullmatch(path) if route.method == request.method else None
        if match and route.query.items() <= values.items() and route.demands(request.headers, values):
            found = found if found and found[0].weight >= route.weight else (route, match)
    if found is None:
        raise AwsError("ValidationException", f"no operation at {request.method} {path}", 404)
    return found[0].name, {key: unquote(value) for key, value in found[1].groupdict().items()}


class _Route(NamedTuple):
    name: str
    method: str
    pattern: re.Pattern[str]
    query: Mapping[str, str]
    needs: tuple[tuple[str, str], ...]

    @property
    def weight(self) -> int:
        return len(self.query) + len(self.needs)

    def demands(self, headers: Mapping[str, str], values: Mapping[str, str]) -> bool:
        """Whether all that this operation cannot do without is there."""
        return all(name.lower() in headers if where == "header" else name in values for where, name in self.needs)


@cache
def _routes(service: str) -> list[_Route]:
    model = model_of(service)
    found = []
    for name in model.operation_names:
        operation = model.operation_model(name)
        path, _, query = operation.http["requestUri"].partition("?")
        uri = re.escape(path)
        pattern = re.sub(r"\\\{(\w+)(\\\+)?\\\}", lambda one: f"(?P<{one[1]}>{'.+' if one[2] else '[^/]+'})", uri)
        found.append(
            _Route(
                name,
                operation.http["method"],
                re.compile(pattern + ("/?" if service == "s3" and "Key" not in path else "")),
                dict(parse_qsl(query, keep_blank_values=True)),
                tuple(_needs(operation)),
            )
        )
    return sorted(found, key=lambda route: (route.name.endswith(("Lifecycle", "Notification")), route.name))


def _needs(operation: OperationModel) -> Iterator[tuple[str, str]]:
    """Headers and values of the query that must be there."""
    shape = operation.input_shape
    for name in shape.required_members if shape is not None else ():
        told = shape.members[name].serialization
        if told.get("location") in ("header", "querystring"):
            yield told["location"], told["name"]


def _unchunked(request: Request) -> bytes:
    """The body without what clients of S3 wrap around the pieces of a stream."""
    if "aws-chunked" not in request.headers.get("content-encoding", ""):
        return request.body
    pieces, rest = [], request.body
    while rest:
        head, _, rest = rest.partition(b"\r\n")
        size = int(head.partition(b";")[0] or b"0", 16)
        if not size:
            break
        pieces.append(rest[:size])
        rest = rest[size + 2 :]
    return b"".join(pieces)
