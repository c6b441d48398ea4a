internal import ApusAPI
internal import ApusIdentity
internal import Foundation
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
package import Logging
internal import SwiftASN1
internal import SwiftProtobuf
internal import X509

/// Who this proxy is to the control plane: a key made here, a certificate asked for with a join token at first and with
/// itself from then on, both kept in the state folder so that a reboot needs nobody.
package actor WorkloadCertificate {
    package struct Settings: Sendable {
        package var address: ControlPlaneAddress
        /// Certificates that vouch for the control plane (PEM).
        package var rootsFile: String
        /// The join token; only read while there is no certificate.
        package var tokenFile: String?
        package var stateDirectory: String
        /// Seconds asked for; 0: as the control plane likes.
        package var lifetime = 0
        package var timeout: Duration = .seconds(10)

        package init(address: ControlPlaneAddress, rootsFile: String, tokenFile: String?, stateDirectory: String) {
            self.address = address
            self.rootsFile = rootsFile
            self.tokenFile = tokenFile
            self.stateDirectory = stateDirectory
        }
    }

    /// What the data plane proves itself with, in PEM. Its description shows nothing of it.
    package struct Material: Sendable, CustomStringConvertible {
        /// Leaf first.
        package let chain: [UInt8]
        package let key: [UInt8]
        /// Whom to believe.
        package let roots: [UInt8]

        package var description: String { "identity" }
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private struct Held {
        let key: WorkloadKey
        /// Leaf and intermediates.
        let chain: [Certificate]
        /// The root that came with them, in PEM: the mesh may have a newer one than the file of roots.
        let root: String

        var leaf: Certificate? { chain.first }

        func isValid(_ now: Date) -> Bool {
            guard let leaf else { return false }
            return leaf.notValidBefore <= now && now < leaf.notValidAfter
        }
    }

    static let certificateFile = "certificate.pem"
    static let keyFile = "key.pem"
    static let rootFile = "root.pem"

    private let settings: Settings
    private let log: Logger
    private var held: Held?
    /// Chosen anew for each certificate.
    private var draw = Double.random(in: 0...1)
    private var failures = 0
    private let onChange: @Sendable (Material) async -> Void

    /// - Parameter onChange: gets the identity at `announce`, and whenever it was renewed.
    package init(
        settings: Settings, log: Logger, onChange: @escaping @Sendable (Material) async -> Void = { _ in }
    ) {
        self.settings = settings
        self.log = log
        self.onChange = onChange
        held = Self.load(settings.stateDirectory)
    }

    /// Tells the identity that the state folder has, if any.
    package func announce() async {
        guard let held, held.isValid(Date()) else { return }
        do { await onChange(try material(held)) } catch {
            log.warning("the saved certificate cannot be used", metadata: ["reason": "\(error)"])
        }
    }

    private func material(_ held: Held) throws -> Material {
        let file = try [UInt8](Data(contentsOf: URL(fileURLWithPath: settings.rootsFile)))
        return Material(
            chain: Array(try held.chain.map { try $0.pem }.joined().utf8), key: Array(try held.key.pem.utf8),
            roots: file + Array("\n\(held.root)\n".utf8))
    }

    /// What a connection to the control plane begins with: our certificate. Asks for one if there is none that is valid.
    func security() async throws -> HTTP2ClientTransport.Posix.TransportSecurity {
        if held?.isValid(Date()) != true { try await renew() }
        return try transportSecurity(withCertificate: true)
    }

    /// Renews until cancelled.
    func maintain() async {
        while !Task.isCancelled {
            let wait: Double
            if let leaf = held?.leaf {
                let life = leaf.notValidAfter.timeIntervalSince(leaf.notValidBefore)
                let due = leaf.notValidBefore.addingTimeInterval(Renewal.due(life: life, draw: draw))
                wait =
                    failures > 0
                    ? Renewal.pause(failures: failures, life: life) : max(due.timeIntervalSinceNow, 0)
            } else {
                // The first is asked for by the stream, which comes back by itself.
                wait = 1
            }
            // A clock that is set forward must not be slept through.
            guard (try? await Task.sleep(for: .seconds(min(wait, 60)))) != nil else { return }
            guard wait <= 60, held != nil else { continue }
            do { try await renew() } catch {
                log.warning("the certificate was not renewed", metadata: ["reason": "\(error)"])
            }
        }
    }

    // MARK: Asking

    private func renew() async throws {
        do {
            // By itself if it may still speak, else by the token.
            let isValid = held?.isValid(Date()) == true
            let token = isValid ? nil : try readToken()
            let key = WorkloadKey()
            let (chain, root) = try await ask(
                csr: key.signingRequest(), token: token, security: try transportSecurity(withCertificate: isValid))
            let new = Held(key: key, chain: chain, root: root)
            guard let leaf = new.leaf, leaf.publicKey == key.key.publicKey else {
                throw Failure(description: "the control plane answered with a certificate for another key")
            }
            try save(new)
            held = new
            failures = 0
            draw = Double.random(in: 0...1)
            log.info("has a certificate", metadata: ["until": "\(leaf.notValidAfter.ISO8601Format())"])
            await onChange(try material(new))
        } catch {
            failures += 1
            throw error
        }
    }

    private func readToken() throws -> String {
        guard let file = settings.tokenFile else {
            throw Failure(description: "there is no valid certificate in the state folder, and no --token-file")
        }
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw Failure(description: "the token file \(file) cannot be read")
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func ask(
        csr: String, token: String?, security: HTTP2ClientTransport.Posix.TransportSecurity
    ) async throws -> (chain: [Certificate], root: String) {
        var request = Istio_V1_Auth_IstioCertificateRequest()
        request.csr = csr
        request.validityDuration = Int64(settings.lifetime)
        let bytes: [UInt8] = try request.serializedBytes()
        var metadata: Metadata = [:]
        if let token { metadata.addString("Bearer \(token)", forKey: "authorization") }
        let asked = metadata
        let client = GRPCClient(
            transport: try HTTP2ClientTransport.Posix(
                target: settings.address.target, transportSecurity: security, config: .defaults))
        var options = CallOptions.defaults
        options.timeout = settings.timeout
        options.waitForReady = false
        let callOptions = options
        do {
            let answer = try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
                defer { client.beginGracefulShutdown() }
                group.addTask {
                    try await client.runConnections()
                    return nil
                }
                group.addTask {
                    try await client.unary(
                        request: ClientRequest(message: bytes, metadata: asked),
                        descriptor: MethodDescriptor(
                            fullyQualifiedService: "istio.v1.auth.IstioCertificateService",
                            method: "CreateCertificate"),
                        serializer: RawBytesSerializer(), deserializer: RawBytesDeserializer(), options: callOptions
                    ) { try $0.message }
                }
                while let outcome = try await group.next() {
                    if let outcome {
                        group.cancelAll()
                        return outcome
                    }
                }
                throw Failure(description: "the connection ended")
            }
            let response = try Istio_V1_Auth_IstioCertificateResponse(serializedBytes: answer)
            guard response.certChain.count >= 2 else {
                throw Failure(description: "the control plane answered without a chain")
            }
            return (
                try AuthorityMaterial.certificates(response.certChain.dropLast().joined(separator: "\n")),
                response.certChain.last ?? ""
            )
        } catch let error as RPCError {
            throw Failure(description: error.cause.map { "\(error.message) (\($0))" } ?? error.message)
        }
    }

    private func transportSecurity(
        withCertificate: Bool
    ) throws -> HTTP2ClientTransport.Posix.TransportSecurity {
        guard let roots = try? [UInt8](Data(contentsOf: URL(fileURLWithPath: settings.rootsFile))) else {
            throw Failure(description: "the root certificates \(settings.rootsFile) cannot be read")
        }
        let pair = withCertificate ? held : nil
        let chain = try pair?.chain.map { try TLSConfig.CertificateSource.bytes(Array($0.pem.utf8), format: .pem) }
        let key = try pair.map { try TLSConfig.PrivateKeySource.bytes(Array($0.key.pem.utf8), format: .pem) }
        return .tls { tls in
            tls.trustRoots = .certificates([.bytes(roots, format: .pem)])
            tls.serverCertificateVerification = .fullVerification
            if let chain, let key {
                tls.certificateChain = chain
                tls.privateKey = key
            }
        }
    }

    // MARK: Files

    private static func load(_ directory: String) -> Held? {
        guard let keyText = try? String(contentsOfFile: "\(directory)/\(keyFile)", encoding: .utf8),
            let key = WorkloadKey(pem: keyText),
            let text = try? String(contentsOfFile: "\(directory)/\(certificateFile)", encoding: .utf8),
            let chain = try? AuthorityMaterial.certificates(text), let leaf = chain.first,
            leaf.publicKey == key.key.publicKey
        else { return nil }
        let root = try? String(contentsOfFile: "\(directory)/\(rootFile)", encoding: .utf8)
        return Held(key: key, chain: chain, root: root ?? "")
    }

    /// The key first: a crash in between leaves a key that fits no certificate, and that is noticed.
    private func save(_ new: Held) throws {
        try StateFile.write(Array(try new.key.pem.utf8), Self.keyFile, in: settings.stateDirectory)
        try StateFile.write(Array(new.root.utf8), Self.rootFile, in: settings.stateDirectory)
        try StateFile.write(
            Array(try new.chain.map { try $0.pem }.joined().utf8), Self.certificateFile, in: settings.stateDirectory)
    }
}
