package import ApusIdentity
package import Foundation
internal import Glibc
internal import Synchronization
package import X509

/// The certificate authority's files, and the authority made of them.
///
/// `<state>/ca` holds what Apus made itself: `root-cert.pem`, `root-key.pem`, `ca-cert.pem`, `ca-key.pem`,
/// `cert-chain.pem`, keys with mode 0600. With `--ca-dir` everything is read from there, and nothing is written to it.
///
/// A new signer comes into force with the rename of one file, `renewal.pem`, which holds its key, certificate and chain.
/// While that file is there it stands for `ca-key.pem`, `ca-cert.pem` and `cert-chain.pem`, which are then written one
/// after the other; it goes when they are on the disk. A crash at any moment leaves the old signer or the new one.
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
    private static let renewal = "renewal.pem"
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
            if FileManager.default.fileExists(atPath: own.file(Self.renewal)) {
                // A disk that is full is no reason not to start: the renewal is read as it is, and `refresh` complains.
                if mayCreate { try? Self.settle(own) }
            } else if !FileManager.default.fileExists(atPath: own.file("ca-cert.pem")) {
                guard mayCreate else {
                    throw Failure(description: "there is no certificate authority in \(path); `apus ca init` makes one")
                }
                try Self.create(in: own, trustDomain: trustDomain, now: now)
            }
        }
        self.state = Mutex(try Self.load(path, isOwn: isOwn, now: now))
    }

    package var current: Current { state.withLock { $0.current } }

    /// Reads the files again if one of them changed, and renews Apus's own intermediate when it nears its end.
    ///
    /// - Returns: true if something else is in force now. A failure leaves what was.
    package func refresh(now: Date) throws(Failure) -> Bool {
        if isOwn { try renew(now: now) }
        guard Self.stamps(path) != state.withLock({ $0.stamps }) else { return false }
        let loaded = try Self.load(path, isOwn: isOwn, now: now)
        state.withLock { $0 = loaded }
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
            try write(
                SignerBundle(root.makeIntermediate(trustDomain: trustDomain, now: now)), folder)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(description: "the certificate authority cannot be made: \(error)")
        }
    }

    /// The key first and the certificate last: a crash in between is a folder without a certificate, made anew.
    private static func write(_ signer: SignerBundle, _ folder: StateFolder) throws {
        try write(signer.key, "ca-key.pem", folder)
        try write(signer.chain, "cert-chain.pem", folder)
        try write(signer.certificate, "ca-cert.pem", folder)
    }

    /// Ends a renewal: its parts become the files that everybody knows.
    private static func settle(_ folder: StateFolder) throws {
        guard let bytes = folder.read(renewal, limit: sizeLimit),
            let signer = SignerBundle(text: String(decoding: bytes, as: UTF8.self))
        else { throw Failure(description: unreadableRenewal(folder.path)) }
        try write(signer, folder)
        // Renames reach the disk in no promised order: the three must be there before the one goes.
        try folder.flush()
        try folder.remove(renewal)
    }

    private static func unreadableRenewal(_ path: String) -> String {
        "\(ManifestPath.join(path, renewal)) is not a key, its certificate and their chain as Apus writes them; "
            + "remove it to go on with ca-key.pem and ca-cert.pem"
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

    /// What the files say. Another process may exchange them meanwhile: what changed while it was read is read again.
    private static func load(_ path: String, isOwn: Bool, now: Date) throws(Failure) -> State {
        for _ in 0..<3 {
            let before = stamps(path)
            let current: Current
            do { current = try read(path, isOwn: isOwn, now: now) } catch {
                if stamps(path) != before { continue }
                throw error
            }
            if stamps(path) == before { return State(current: current, stamps: before) }
        }
        throw Failure(description: "the files in \(path) change while they are read")
    }

    private static func read(_ path: String, isOwn: Bool, now: Date) throws(Failure) -> Current {
        let material = try material(path, isOwn: isOwn)
        do {
            let (authority, roots) = try material.authority(now: now)
            let ordered = [authority.root] + roots.filter { $0 != authority.root }
            let pem = ordered.compactMap { try? $0.pem }.joined()
            return Current(authority: authority, rootsPEM: pem, roots: ordered)
        } catch {
            throw Failure(description: error.texts.map { "\(path)/\($0)" }.joined(separator: "\n"))
        }
    }

    private static func material(_ path: String, isOwn: Bool) throws(Failure) -> AuthorityMaterial {
        let roots = try read(path, "root-cert.pem")
        if isOwn, FileManager.default.fileExists(atPath: ManifestPath.join(path, renewal)) {
            guard let signer = SignerBundle(text: try read(path, renewal)) else {
                throw Failure(description: unreadableRenewal(path))
            }
            return AuthorityMaterial(
                certificate: signer.certificate, key: signer.key, chain: signer.chain, roots: roots)
        }
        let chain = ManifestPath.join(path, "cert-chain.pem")
        return AuthorityMaterial(
            certificate: try read(path, "ca-cert.pem"), key: try read(path, "ca-key.pem"),
            chain: FileManager.default.fileExists(atPath: chain) ? try read(path, "cert-chain.pem") : "",
            roots: roots)
    }

    /// A file's identity and time: an exchange by rename, a link turned elsewhere and a write in place all change it.
    private static func stamps(_ path: String) -> [FileStamp?] {
        ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem", renewal].map { name in
            guard case .present(let stamp) = FolderScan.presence(of: ManifestPath.join(path, name)) else { return nil }
            return stamp
        }
    }

    /// A new intermediate once less than a third of the old one's life is left, as long as the root's key is here.
    /// A renewal that a crash or a full disk left half done is ended first.
    private func renew(now: Date) throws(Failure) {
        do {
            if FileManager.default.fileExists(atPath: ManifestPath.join(path, Self.renewal)) {
                return try Self.settle(Self.opened(path))
            }
            let signer = current.authority.certificate
            let life = signer.notValidAfter.timeIntervalSince(signer.notValidBefore)
            guard signer.notValidAfter.timeIntervalSince(now) < life / 3, signer != current.authority.root,
                FileManager.default.fileExists(atPath: ManifestPath.join(path, "root-key.pem"))
            else { return }
            let key = try Certificate.PrivateKey(pemEncoded: Self.read(path, "root-key.pem"))
            let root = RootAuthority(certificate: current.authority.root, key: key)
            let folder = try Self.opened(path)
            let next = try SignerBundle(root.makeIntermediate(trustDomain: trustDomain, now: now))
            try Self.write(next.text, Self.renewal, folder)
            try folder.flush()
            try Self.settle(folder)
        } catch let failure as Failure {
            throw failure
        } catch let failure as StateFolder.Failure {
            throw Failure(description: "the signing certificate cannot be renewed: \(failure.description)")
        } catch {
            throw Failure(description: "the signing certificate in \(path) cannot be renewed")
        }
    }
}
