package import ApusIdentity
package import Foundation
internal import Glibc
internal import Synchronization
package import X509

/// The certificate authority's files, and the authority made of them.
///
/// `<state>/ca` holds what Apus made itself: `root-cert.pem`, `root-key.pem`, `ca-cert.pem`, `ca-key.pem`,
/// `cert-chain.pem`, keys with mode 0600. With `--ca-dir` everything is read from there, and nothing is written to it.
package final class AuthorityStore: Sendable {
    /// What is in force.
    package struct Current: Sendable {
        package let authority: CertificateAuthority
        /// All trusted roots as PEM, the active one first.
        package let rootsPEM: String
        package let roots: [Certificate]
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package static let folder = "ca"
    private static let sizeLimit = 1 << 20

    private let path: String
    private let isOwn: Bool
    private let trustDomain: TrustDomain
    private let state: Mutex<State>

    private struct State {
        var current: Current
        var stamps: [FileStamp?]
    }

    /// Opens the authority; makes it if it is Apus's own and not there yet.
    ///
    /// - Parameters:
    ///   - external: `--ca-dir`, or nil.
    ///   - mayCreate: false for commands that only look.
    package init(
        state folder: StateFolder, external: String?, trustDomain: TrustDomain, now: Date, mayCreate: Bool = true
    ) throws(Failure) {
        self.trustDomain = trustDomain
        isOwn = external == nil
        path = external ?? folder.file(Self.folder)
        if external == nil {
            let own = try Self.opened(path)
            if !FileManager.default.fileExists(atPath: own.file("ca-cert.pem")) {
                guard mayCreate else {
                    throw Failure(description: "there is no certificate authority in \(path); `apus ca init` makes one")
                }
                try Self.create(in: own, trustDomain: trustDomain, now: now)
            }
        }
        self.state = Mutex(State(current: try Self.load(path, now: now), stamps: Self.stamps(path)))
    }

    package var current: Current { state.withLock { $0.current } }

    /// Reads the files again if one of them changed, and renews Apus's own intermediate when it nears its end.
    ///
    /// - Returns: true if something else is in force now. A failure leaves what was.
    package func refresh(now: Date) throws(Failure) -> Bool {
        if isOwn { try renew(now: now) }
        let stamps = Self.stamps(path)
        guard stamps != state.withLock({ $0.stamps }) else { return false }
        let loaded = try Self.load(path, now: now)
        state.withLock { $0 = State(current: loaded, stamps: stamps) }
        return true
    }

    // MARK: Files

    private static func opened(_ path: String) throws(Failure) -> StateFolder {
        do { return try StateFolder(path) } catch { throw Failure(description: error.description) }
    }

    private static func create(in folder: StateFolder, trustDomain: TrustDomain, now: Date) throws(Failure) {
        do {
            let root = try RootAuthority.make(trustDomain: trustDomain, now: now)
            try write(root.key.pem, "root-key.pem", folder)
            try write(root.certificate.pem, "root-cert.pem", folder)
            try write(root.makeIntermediate(trustDomain: trustDomain, now: now), folder)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(description: "the certificate authority cannot be made: \(error)")
        }
    }

    /// The key first and the certificate last: a crash in between is a folder without a certificate, made anew.
    private static func write(_ authority: CertificateAuthority, _ folder: StateFolder) throws {
        try write(authority.key.pem, "ca-key.pem", folder)
        try write(authority.chain.map { try $0.pem }.joined(), "cert-chain.pem", folder)
        try write(authority.certificate.pem, "ca-cert.pem", folder)
    }

    private static func write(_ text: String, _ name: String, _ folder: StateFolder) throws {
        try folder.write(name, Array(text.utf8))
    }

    private static func read(_ path: String, _ name: String) throws(Failure) -> String {
        let file = ManifestPath.join(path, name)
        guard let bytes = FolderScan.read(file, limit: sizeLimit) else {
            throw Failure(description: "\(file) cannot be read: \(String(cString: strerror(errno)))")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func load(_ path: String, now: Date) throws(Failure) -> Current {
        let chain = ManifestPath.join(path, "cert-chain.pem")
        let material = AuthorityMaterial(
            certificate: try read(path, "ca-cert.pem"), key: try read(path, "ca-key.pem"),
            chain: FileManager.default.fileExists(atPath: chain) ? try read(path, "cert-chain.pem") : "",
            roots: try read(path, "root-cert.pem"))
        do {
            let (authority, roots) = try material.authority(now: now)
            let ordered = [authority.root] + roots.filter { $0 != authority.root }
            let pem = ordered.compactMap { try? $0.pem }.joined()
            return Current(authority: authority, rootsPEM: pem, roots: ordered)
        } catch {
            throw Failure(description: error.texts.map { "\(path)/\($0)" }.joined(separator: "\n"))
        }
    }

    /// A file's identity and time: an exchange by rename, a link turned elsewhere and a write in place all change it.
    private static func stamps(_ path: String) -> [FileStamp?] {
        ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"].map { name in
            guard case .present(let stamp) = FolderScan.presence(of: ManifestPath.join(path, name)) else { return nil }
            return stamp
        }
    }

    /// A new intermediate once less than a third of the old one's life is left, as long as the root's key is here.
    private func renew(now: Date) throws(Failure) {
        let signer = current.authority.certificate
        let life = signer.notValidAfter.timeIntervalSince(signer.notValidBefore)
        guard signer.notValidAfter.timeIntervalSince(now) < life / 3, signer != current.authority.root,
            FileManager.default.fileExists(atPath: ManifestPath.join(path, "root-key.pem"))
        else { return }
        do {
            let key = try Certificate.PrivateKey(pemEncoded: Self.read(path, "root-key.pem"))
            let root = RootAuthority(certificate: current.authority.root, key: key)
            try Self.write(
                root.makeIntermediate(trustDomain: trustDomain, now: now), Self.opened(path))
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(description: "the signing certificate in \(path) cannot be renewed")
        }
    }
}
