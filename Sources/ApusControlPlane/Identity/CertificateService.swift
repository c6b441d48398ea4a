internal import ApusAPI
internal import ApusIdentity
internal import Foundation
internal import GRPCCore
internal import Logging
internal import SwiftProtobuf
internal import X509

/// `istio.v1.auth.IstioCertificateService`: a signing request in, a chain out.
struct CertificateService: RegistrableRPCService {
    static let name = "istio.v1.auth.IstioCertificateService"
    private static let requestLimit = 64 << 10

    let authority: AuthorityStore
    let authentication: Authentication
    let metrics: Metrics
    let logger: Logger

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        router.registerRaw(service: Self.name, method: "CreateCertificate") { [self] request, server in
            let metadata = request.metadata
            var first: [UInt8]?
            for try await message in request.messages {
                guard first == nil, message.count <= Self.requestLimit else {
                    throw RPCError(
                        code: .invalidArgument, message: "one request of at most \(Self.requestLimit) bytes is expected"
                    )
                }
                first = message
            }
            guard let first else { throw RPCError(code: .invalidArgument, message: "the request has no message") }
            let answer = try create(first, metadata, server)
            return StreamingServerResponse { writer in
                try await writer.write(answer)
                return [:]
            }
        }
    }

    private func create(_ bytes: [UInt8], _ metadata: Metadata, _ server: ServerContext) throws -> [UInt8] {
        metrics.add(.certificateRequests)
        guard let message = try? Istio_V1_Auth_IstioCertificateRequest(serializedBytes: bytes) else {
            throw RPCError(code: .invalidArgument, message: "the request is not an IstioCertificateRequest")
        }
        let request: SigningRequest
        do {
            request = try SigningRequest(pem: message.csr)
        } catch {
            throw RPCError(code: .invalidArgument, message: error.description)
        }
        let identity = try authentication.identity(server, metadata, keyDigest: request.keyDigest)
        guard message.metadata.fields["ImpersonatedIdentity"] == nil else {
            throw RPCError(code: .permissionDenied, message: "nobody may ask for another's certificate")
        }
        do {
            let issued = try authority.current.authority.issue(
                to: identity, key: request.key, lifetime: TimeInterval(message.validityDuration), now: Date())
            metrics.add(.certificatesIssued)
            logger.info(
                "a certificate was issued",
                metadata: [
                    "identity": "\(identity)", "serial": "\(Hexadecimal.encode(issued.certificate.serialNumber.bytes))",
                    "until": "\(issued.notAfter.ISO8601Format())", "peer": "\(server.remotePeer)",
                ])
            var response = Istio_V1_Auth_IstioCertificateResponse()
            response.certChain = issued.pem
            return try response.serializedBytes()
        } catch let refusal as CertificateAuthority.Refusal {
            let isAsked = if case .lifetime = refusal { true } else { false }
            throw RPCError(code: isAsked ? .invalidArgument : .unavailable, message: refusal.description)
        }
    }
}
