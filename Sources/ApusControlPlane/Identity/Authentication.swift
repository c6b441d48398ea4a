internal import ApusIdentity
internal import ApusMesh
internal import Foundation
internal import GRPCCore

/// Who calls on port 15012, and what of it is theirs.
struct Authentication: Sendable {
    let callers: CallerTable
    let tokens: TokenStore

    /// The caller's identity: of its certificate, else of its join token.
    ///
    /// - Parameter keyDigest: of the key that a certificate is asked for; nil for other calls.
    func identity(
        _ server: ServerContext, _ metadata: Metadata, keyDigest: [UInt8]?
    ) throws(RPCError) -> SPIFFEIdentity {
        if let known = callers.caller(local: server.localPeer, remote: server.remotePeer) { return known }
        guard let token = Self.bearer(metadata) else {
            throw RPCError(
                code: .unauthenticated,
                message: "prove who you are: by a certificate of this mesh, or by `authorization: Bearer <join token>`")
        }
        do {
            if let keyDigest { return try tokens.admit(token, keyDigest: keyDigest, now: Date()) }
            return try tokens.identify(token, now: Date())
        } catch {
            throw RPCError(code: error.isRefusal ? .unauthenticated : .internalError, message: error.description)
        }
    }

    /// A stream's node must be the caller's own (istiod's rule for `PILOT_ENABLE_XDS_IDENTITY_CHECK`).
    static func check(_ proxy: Proxy, is identity: SPIFFEIdentity) throws(RPCError) {
        guard proxy.namespace == identity.namespace, proxy.serviceAccount == identity.serviceAccount else {
            throw RPCError(
                code: .permissionDenied,
                message: "the node says namespace \(proxy.namespace) and service account \(proxy.serviceAccount), "
                    + "and the caller is \(identity)")
        }
    }

    private static func bearer(_ metadata: Metadata) -> String? {
        for value in metadata[stringValues: "authorization"] where value.utf8.count <= JoinToken.sizeLimit {
            let parts = value.split(separator: " ", maxSplits: 1)
            if parts.count == 2, parts[0].lowercased() == "bearer" {
                return String(parts[1].drop { $0 == " " })
            }
        }
        return nil
    }
}
