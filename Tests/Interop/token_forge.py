"""JSON Web Tokens and key sets made with OpenSSL: good ones, and ones that nobody should believe."""
import base64
import hashlib
import hmac
import json
import re

from identity import openssl


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(data):
    return base64url(data.lstrip(b"\0"))


class Key:
    """A private key and its public half as an entry of a key set."""

    def __init__(self, folder, name, *make, algorithm=None):
        self.name, self.file, self.folder = name, folder / f"{name}.pem", folder
        openssl("genpkey", "-out", self.file, *make)
        self.public = folder / f"{name}.pub"
        self.public.write_text(openssl("pkey", "-in", self.file, "-pubout"))
        der = base64.b64decode("".join(self.public.read_text().split("\n")[1:-2]))
        entry = {"kid": name}
        if algorithm:
            entry["alg"] = algorithm
        if make[1] == "RSA":
            modulus = re.search("Modulus=([0-9A-F]+)", openssl("rsa", "-pubin", "-in", self.public, "-modulus", "-noout"))[1]
            entry |= {"kty": "RSA", "n": number(bytes.fromhex(modulus)), "e": "AQAB"}
        elif make[1] == "EC":
            curve = make[3].split(":")[1]
            size = {"P-256": 32, "P-384": 48, "P-521": 66}[curve]
            entry |= {"kty": "EC", "crv": curve, "x": base64url(der[-2 * size:-size]), "y": base64url(der[-size:])}
        else:
            entry |= {"kty": "OKP", "crv": "Ed25519", "x": base64url(der[-32:])}
        self.entry = entry

    def sign(self, algorithm, content):
        if algorithm == "none":
            return b""
        if algorithm.startswith("HS"):
            # The confusion: what everybody knows of a key used as a secret.
            return hmac.new(self.public.read_bytes(), content, "sha" + algorithm[2:]).digest()
        message = self.folder / "message"
        message.write_bytes(content)
        signature = self.folder / "signature"
        if algorithm == "EdDSA":
            openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.file, "-in", message, "-out", signature)
            return signature.read_bytes()
        more = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"] if algorithm.startswith("PS") else []
        openssl("dgst", f"-sha{algorithm[2:]}", "-sign", self.file, "-out", signature, *more, message)
        data = signature.read_bytes()
        if not algorithm.startswith("ES"):
            return data
        size = {"256": 32, "384": 48, "512": 66}[algorithm[2:]]
        # SEQUENCE of two INTEGERs; of P-521 with a length of two bytes.
        at, parts = (3 if data[1] & 0x80 else 2), []
        for _ in range(2):
            length = data[at + 1]
            parts.append(data[at + 2:at + 2 + length].lstrip(b"\0").rjust(size, b"\0"))
            at += 2 + length
        return b"".join(parts)


def keys(folder):
    folder.mkdir(exist_ok=True)
    return {key.name: key for key in (
        Key(folder, "rsa", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
        Key(folder, "ec256", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", algorithm="ES256"),
        Key(folder, "ec384", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
        Key(folder, "ec521", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"),
        Key(folder, "ed", "-algorithm", "ED25519"),
        Key(folder, "other", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"))}


def key_set(*entries):
    return json.dumps({"keys": [key.entry for key in entries]})


def token(key, algorithm, claims, header=None, raw_header=None, raw_claims=None):
    """The compact form. `raw_*` replace the JSON text of a part."""
    head = raw_header if raw_header is not None else json.dumps({"alg": algorithm, "kid": key.name, **(header or {})})
    head = json.dumps({k: v for k, v in json.loads(head).items() if v is not None}) if raw_header is None else head
    body = raw_claims if raw_claims is not None else json.dumps(claims)
    content = f"{base64url(head.encode())}.{base64url(body.encode())}".encode()
    return content.decode() + "." + base64url(key.sign(algorithm, content))


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:8]
