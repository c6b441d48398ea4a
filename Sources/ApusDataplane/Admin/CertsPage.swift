internal import ApusCore
internal import ApusTraffic
internal import Foundation
internal import NIOSSL
internal import SwiftASN1
internal import X509

/// `/certs`: the certificates and roots that are in force, in Envoy's form (`admin.v3.Certificates`), one entry for each
/// secret. Keys are never shown.
internal enum CertsPage {
    /// - Parameter now: nanoseconds since 1970.
    static func json(_ configuration: ProxyConfiguration, now: Int64) -> String {
        let entries = configuration.secrets.compactMap { $0 }.sorted { $0.name < $1.name }.compactMap { secret in
            switch secret.content {
            case .certificate(let own): entry("cert_chain", secret.name, own.chain, now)
            case .trust(let trust): entry("ca_cert", secret.name, trust.roots, now)
            }
        }
        return "{\"certificates\":[\(entries.joined(separator: ","))]}"
    }

    private static func entry(_ kind: String, _ name: String, _ pem: [UInt8], _ now: Int64) -> String? {
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(pem) else { return nil }
        let details = certificates.compactMap { certificate in
            (try? certificate.toDERBytes()).flatMap { try? Certificate(derEncoded: $0) }.map {
                self.details($0, SubjectNames(certificate), name, now)
            }
        }
        let other = kind == "ca_cert" ? "cert_chain" : "ca_cert"
        return "{\"\(kind)\":[\(details.joined(separator: ","))],\"\(other)\":[]}"
    }

    private static func details(
        _ certificate: Certificate, _ names: SubjectNames, _ secret: String, _ now: Int64
    ) -> String {
        func list(_ kind: String, _ texts: [[UInt8]]) -> [String] {
            texts.map { "{\"\(kind)\":\(JSONString.quoted(String(decoding: $0, as: UTF8.self)))}" }
        }
        let subjects = list("uri", names.uris) + list("dns", names.dnsNames)
        let serial = TLSFacts.hexadecimal(certificate.serialNumber.bytes)
        let left = certificate.notValidAfter.timeIntervalSince1970 - Double(now) / 1e9
        func instant(_ date: Date) -> String { JSONString.quoted(date.formatted(.iso8601)) }
        return "{\"path\":\(JSONString.quoted("secret: \(secret)")),\"serial_number\":\"\(serial)\","
            + "\"subject_alt_names\":[\(subjects.joined(separator: ","))],"
            + "\"days_until_expiration\":\"\(max(0, Int64(left / 86_400)))\","
            + "\"valid_from\":\(instant(certificate.notValidBefore)),"
            + "\"expiration_time\":\(instant(certificate.notValidAfter))}"
    }
}
