internal import ApusTraffic
internal import Crypto
internal import Foundation
internal import NIOSSL
internal import SwiftASN1
internal import X509

extension TLSFacts {
    /// What the handshake of a handler told.
    ///
    /// - Parameter isVerified: the peer's certificate was checked against roots.
    init(_ handler: NIOSSLHandler, _ session: TLSSession, serverName: String, alpn: String, isVerified: Bool) {
        self.init()
        self.serverName = serverName
        self.alpn = alpn
        localURIs = session.localURIs
        version =
            switch handler.tlsVersion {
            case .tlsv13?: "TLSv1.3"
            case .tlsv12?: "TLSv1.2"
            case .tlsv11?: "TLSv1.1"
            case .tlsv1?: "TLSv1"
            default: ""
            }
        guard isVerified, let certificate = handler.peerCertificate, let der = try? certificate.toDERBytes() else {
            return
        }
        hasPeerCertificate = true
        let names = SubjectNames(certificate)
        // A name with a NUL is nobody's.
        func texts(_ names: [[UInt8]]) -> [String] {
            names.filter { !$0.contains(0) }.map { String(decoding: $0, as: UTF8.self) }
        }
        peerURIs = texts(names.uris)
        peerDNSNames = texts(names.dnsNames)
        peerSHA256 = Self.hexadecimal(SHA256.hash(data: der))
        guard let parsed = try? Certificate(derEncoded: der) else { return }
        peerSubject = "\(parsed.subject)"
        peerIssuer = "\(parsed.issuer)"
        peerSerial = Self.hexadecimal(parsed.serialNumber.bytes)
        peerValidFrom = Int64(parsed.notValidBefore.timeIntervalSince1970)
        peerValidUntil = Int64(parsed.notValidAfter.timeIntervalSince1970)
        if let pem = try? parsed.serializeAsPEM().pemString {
            peerPEM = Self.percentEncoded(pem + "\n")
        }
    }

    static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// All but the unreserved characters of RFC 3986.
    private static func percentEncoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: result.append(byte)
            default: result += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
