"""A name server for tests: answers what a table says, as late, as broken and as often as the table says."""
import socket
import struct
import threading
import time

A, CNAME, SOA, AAAA, OPT = 1, 5, 6, 28, 41
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, REFUSED = 0, 1, 2, 3, 5


def packed(name):
    labels = [label for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def address(text):
    if ":" in text:
        return AAAA, socket.inet_pton(socket.AF_INET6, text)
    return A, socket.inet_aton(text)


class Answer:
    """What is said of a name. `to(...)` gives the records of one type; the rest is how it is said."""

    def __init__(self, *addresses, ttl=60, code=NOERROR, through=(), delay=0.0, truncated=False, silent=False,
                 spoofed=None, no_edns=False, folded=False, alias_ttl=None, owner=None):
        self.addresses = addresses
        self.ttl = ttl
        self.code = code
        # Names of a chain of aliases before the addresses.
        self.through = through
        self.delay = delay
        self.truncated = truncated
        self.silent = silent
        # An address that false answers name before the true one comes.
        self.spoofed = spoofed
        # A server that does not know EDNS.
        self.no_edns = no_edns
        # The question comes back in small letters.
        self.folded = folded
        self.alias_ttl = ttl if alias_ttl is None else alias_ttl
        # Whose the addresses are said to be, if not the name's.
        self.owner = owner


class NameServer:
    """UDP and TCP on one port of 127.0.0.1. `table` maps names to an Answer; others have NXDOMAIN."""

    def __init__(self, table):
        self.table = table
        self.asked = []
        self.lock = threading.Lock()
        self.closed = False
        while True:
            self.tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.tcp.bind(("127.0.0.1", 0))
            self.port = self.tcp.getsockname()[1]
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                self.udp.bind(("127.0.0.1", self.port))
                break
            except OSError:
                self.tcp.close()
                self.udp.close()
        self.tcp.listen(64)
        for serve in (self.serve_udp, self.serve_tcp):
            threading.Thread(target=serve, daemon=True).start()

    def close(self):
        self.closed = True
        self.udp.close()
        self.tcp.close()

    def count(self, name, kind=None):
        with self.lock:
            return sum(1 for asked, transport, _ in self.asked if asked == name and kind in (None, transport))

    def ports(self, name):
        """The ports that UDP questions for the name came from."""
        with self.lock:
            return [port for asked, transport, port in self.asked if asked == name and transport == "udp"]

    def serve_udp(self):
        while not self.closed:
            try:
                data, peer = self.udp.recvfrom(4096)
            except OSError:
                return
            threading.Thread(target=self.answer_udp, args=(data, peer), daemon=True).start()

    def answer_udp(self, data, peer):
        for reply in self.replies(data, "udp", peer[1]):
            try:
                self.udp.sendto(reply, peer)
            except OSError:
                return

    def serve_tcp(self):
        while not self.closed:
            try:
                connection, peer = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self.answer_tcp, args=(connection, peer), daemon=True).start()

    def answer_tcp(self, connection, peer):
        with connection, connection.makefile("rb") as stream:
            try:
                while len(head := stream.read(2)) == 2:
                    data = stream.read(struct.unpack(">H", head)[0])
                    for reply in self.replies(data, "tcp", peer[1]):
                        # In two pieces, as a stream may bring it.
                        whole = struct.pack(">H", len(reply)) + reply
                        connection.sendall(whole[:5])
                        connection.sendall(whole[5:])
            except OSError:
                return

    def replies(self, data, transport, port):
        if len(data) < 17:
            return []
        identity, _, _, _, _, extra = struct.unpack(">HHHHHH", data[:12])
        end, labels = 12, []
        while data[end]:
            labels.append(data[end + 1:end + 1 + data[end]].decode("latin-1"))
            end += 1 + data[end]
        question = data[12:end + 5]
        kind = struct.unpack(">H", data[end + 1:end + 3])[0]
        name = ".".join(labels).lower()
        with self.lock:
            self.asked.append((name, transport, port))
        answer = self.table.get(name, Answer(code=NXDOMAIN))
        if answer.silent:
            return []
        if answer.delay:
            time.sleep(answer.delay)
        if answer.folded:
            question = packed(name) + question[-4:]
        if answer.no_edns and extra:
            return [self.message(identity, FORMERR, b"", [], [])]
        if answer.truncated and transport == "udp":
            return [self.message(identity, NOERROR, question, [], [], flags=0x0200)]
        result = []
        if answer.spoofed:
            of, false = address(answer.spoofed)
            record = self.record(b"\xc0\x0c", of, 60, false)
            other = packed("other.test") + question[-4:]
            # The id of another question, another question, and a question where an answer belongs.
            result.append(self.message(identity ^ 1, NOERROR, question, [record], []))
            result.append(self.message(identity, NOERROR, other, [record], []))
        result.append(self.message(identity, answer.code, question, *self.sections(name, kind, answer)))
        return result

    def sections(self, name, kind, answer):
        if answer.code not in (NOERROR, NXDOMAIN):
            return [], []
        records, owner = [], b"\xc0\x0c"
        for alias in answer.through:
            records.append(self.record(owner, CNAME, answer.alias_ttl, packed(alias)))
            owner = packed(alias)
        if answer.owner:
            owner = packed(answer.owner)
        found = [self.record(owner, of, answer.ttl, data) for of, data in map(address, answer.addresses) if of == kind]
        if found:
            return records + found, []
        zone = packed("ns.test") + packed("hostmaster.test") + struct.pack(">IIIII", 1, 2, 3, 4, 5)
        return records, [self.record(packed("test"), SOA, 60, zone)]

    @staticmethod
    def record(owner, kind, ttl, data):
        return owner + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data

    @staticmethod
    def message(identity, code, question, answers, authorities, flags=0):
        return struct.pack(
            ">HHHHHH", identity, 0x8180 | flags | code, 1 if question else 0, len(answers), len(authorities), 0
        ) + question + b"".join(answers + authorities)
