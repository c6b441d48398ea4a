package import ApusIdentity
internal import Crypto
package import Foundation
internal import Synchronization

/// Join tokens: the key that signs them, and what is remembered of each.
///
/// `<state>/tokens/key.pem` (0600) and one small file per token, named by the hash of its text. Removing that file revokes
/// the token.
package final class TokenStore: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
        /// True if the token is to blame and not the store.
        package let isRefusal: Bool
    }

    package static let folderName = "tokens"

    private let folder: StateFolder
    private let key: P256.Signing.PrivateKey
    private let trustDomain: TrustDomain
    /// One use at a time: two callers with one single-use token must not both find it unused.
    private let uses = Mutex(())

    package init(state: StateFolder, trustDomain: TrustDomain) throws(Failure) {
        self.trustDomain = trustDomain
        do {
            folder = try StateFolder(state.file(Self.folderName))
            if let bytes = folder.read("key.pem", limit: 1 << 16) {
                key = try P256.Signing.PrivateKey(pemRepresentation: String(decoding: bytes, as: UTF8.self))
            } else {
                key = P256.Signing.PrivateKey()
                try folder.write("key.pem", Array(key.pemRepresentation.utf8))
            }
        } catch let failure as StateFolder.Failure {
            throw Failure(description: failure.description, isRefusal: false)
        } catch {
            throw Failure(
                description: "\(state.file(Self.folderName))/key.pem is not a P-256 key", isRefusal: false)
        }
    }

    /// Makes a token and remembers it.
    ///
    /// - Returns: the token's text, which is kept nowhere.
    package func create(
        namespace: String, serviceAccount: String, lifetime: TimeInterval, isSingleUse: Bool, now: Date
    ) throws(Failure) -> String {
        guard
            let identity = SPIFFEIdentity(
                trustDomain: trustDomain, namespace: namespace, serviceAccount: serviceAccount)
        else {
            throw Failure(
                description: "\(namespace)/\(serviceAccount) cannot be a namespace and a service account",
                isRefusal: true)
        }
        let token = JoinToken(
            identity: identity, issued: now, expires: now.addingTimeInterval(lifetime), isSingleUse: isSingleUse)
        do {
            let nonce = SymmetricKey(size: .bits128).withUnsafeBytes { Array($0) }
            let text = try token.signed(with: key, nonce: nonce)
            try write(TokenRecord(token), JoinToken.digest(text))
            return text
        } catch {
            throw Failure(description: "the token cannot be made: \(error)", isRefusal: false)
        }
    }

    /// Who the holder of a token may become.
    ///
    /// - Parameter keyDigest: SHA-256 of the key that the certificate is for.
    package func admit(_ text: String, keyDigest: [UInt8], now: Date) throws(Failure) -> SPIFFEIdentity {
        let token = try verified(text, now: now)
        let name = JoinToken.digest(text)
        let outcome = uses.withLock { _ -> Failure? in
            guard let bytes = folder.read(Self.file(name), limit: 1 << 16),
                var record = try? JSONDecoder().decode(TokenRecord.self, from: Data(bytes))
            else { return Failure(description: "the token was revoked", isRefusal: true) }
            switch record.use(by: keyDigest) {
            case .allowed: return nil
            case .refused: return Failure(description: "the token was used before", isRefusal: true)
            case .record:
                record.usedBy = Hexadecimal.encode(keyDigest)
                // On disk before the certificate leaves: a restart must not make the token new.
                do { try write(record, name) } catch {
                    return Failure(description: "the use of a token cannot be written down", isRefusal: false)
                }
                return nil
            }
        }
        if let outcome { throw outcome }
        return token.identity
    }

    /// Who the holder of a token is, for a call that gives no certificate. A single-use token is for a certificate only:
    /// nothing else would bind it to its holder.
    package func identify(_ text: String, now: Date) throws(Failure) -> SPIFFEIdentity {
        let token = try verified(text, now: now)
        guard !token.isSingleUse else {
            throw Failure(
                description: "a single-use token is good for a certificate; use the certificate here", isRefusal: true)
        }
        guard folder.read(Self.file(JoinToken.digest(text)), limit: 1 << 16) != nil else {
            throw Failure(description: "the token was revoked", isRefusal: true)
        }
        return token.identity
    }

    private func verified(_ text: String, now: Date) throws(Failure) -> JoinToken {
        do {
            return try JoinToken(text, key: key.publicKey, trustDomain: trustDomain, now: now)
        } catch {
            throw Failure(description: error.description, isRefusal: true)
        }
    }

    /// Forgets tokens that ended.
    package func prune(now: Date) {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path) else { return }
        for name in names where name.hasSuffix(".json") {
            guard let bytes = folder.read(name, limit: 1 << 16),
                let record = try? JSONDecoder().decode(TokenRecord.self, from: Data(bytes)),
                TimeInterval(record.expires) < now.timeIntervalSince1970
            else { continue }
            try? FileManager.default.removeItem(atPath: folder.file(name))
        }
    }

    private static func file(_ name: String) -> String { "\(name).json" }

    private func write(_ record: TokenRecord, _ name: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try folder.write(Self.file(name), Array(try encoder.encode(record)))
    }
}
