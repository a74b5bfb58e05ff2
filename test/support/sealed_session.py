# The caller's half of an encrypted session with Python's `cryptography`: one JSON request in, one
# JSON answer out. It shares no code with the product.
import base64, json, os, sys
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def point(private):
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


asked = json.load(sys.stdin)
if asked["do"] == "generate":
    private = ec.generate_private_key(ec.SECP256R1())
    secret = format(private.private_numbers().private_value, "x")
    print(json.dumps({"private": secret, "publicKey": b64(point(private))}))
else:
    private = ec.derive_private_key(int(asked["private"], 16), ec.SECP256R1())
    server = unb64(asked["serverKey"])
    curve_point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), server)
    shared = private.exchange(ec.ECDH(), curve_point)

    def cipher(direction):
        info = f"forecourt session v1 {direction} {asked['id']}".encode()
        return AESGCM(HKDF(hashes.SHA256(), 32, point(private) + server, info).derive(shared))

    aad = asked["place"].encode()
    if asked["do"] == "seal":
        iv = os.urandom(12)
        print(json.dumps({"sealed": b64(iv + cipher("request").encrypt(iv, asked["text"].encode(), aad))}))
    else:
        sealed = unb64(asked["sealed"])
        print(json.dumps({"text": cipher("answer").decrypt(sealed[:12], sealed[12:], aad).decode()}))
