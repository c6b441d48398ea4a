import ApusControlPlane
import ApusIdentity
import Foundation
import Testing
import X509

@Suite struct IdentityStoreTests {
    private static let now = Date(timeIntervalSince1970: 1_800_000_000)
    private let domain = TrustDomain.clusterLocal
    private let key = [UInt8](repeating: 1, count: 32)

    private func folder() throws -> StateFolder {
        try StateFolder(NSTemporaryDirectory() + "apus-identity-" + UUID().uuidString)
    }

    private func authority(
        _ state: StateFolder, external: String? = nil, now: Date = now, mayCreate: Bool = true
    ) throws -> AuthorityStore {
        try AuthorityStore(state: state, external: external, trustDomain: domain, now: now, mayCreate: mayCreate)
    }

    @Test func theAuthorityIsMadeOnceAndKept() throws {
        let state = try folder()
        defer { try? FileManager.default.removeItem(atPath: state.path) }
        #expect(throws: AuthorityStore.Failure.self) { try authority(state, mayCreate: false) }
        let first = try authority(state)
        let second = try authority(state, mayCreate: false)
        #expect(first.current.rootsPEM == second.current.rootsPEM)
        #expect(first.current.authority.certificate == second.current.authority.certificate)
    }

    @Test func anIntermediateIsRenewedWhenAThirdIsLeftAndTheRootStays() throws {
        let state = try folder()
        defer { try? FileManager.default.removeItem(atPath: state.path) }
        let store = try authority(state)
        let before = store.current
        #expect(try !store.refresh(now: Self.now.addingTimeInterval(200 * 86_400)))
        let later = Self.now.addingTimeInterval(250 * 86_400)
        #expect(try store.refresh(now: later))
        #expect(store.current.authority.root == before.authority.root)
        #expect(store.current.authority.certificate.notValidAfter > before.authority.certificate.notValidAfter)
        #expect(try !store.refresh(now: later))
    }

    /// Where a renewal stops; the first writes nothing that counts, the others leave something new.
    enum Stop: String, CaseIterable {
        case renewal = "renewal.pem"
        case key = "ca-key.pem"
        case chain = "cert-chain.pem"
        case certificate = "ca-cert.pem"
    }

    @Test(arguments: Stop.allCases)
    func aRenewalThatStopsHalfwayLeavesAKeyThatFits(stop: Stop) throws {
        let state = try folder()
        defer { try? FileManager.default.removeItem(atPath: state.path) }
        let store = try authority(state)
        let old = store.current.authority.certificate
        let later = Self.now.addingTimeInterval(250 * 86_400)
        // A folder where the temporary file should be: this write fails, those before it are done.
        let obstacle = state.file("ca/\(stop.rawValue).new")
        try FileManager.default.createDirectory(atPath: obstacle, withIntermediateDirectories: false)
        #expect(throws: AuthorityStore.Failure.self) { try store.refresh(now: later) }

        // Whoever only looks, and whoever starts while the obstacle is still there, finds a signer whose key fits.
        let seen = try authority(state, now: later, mayCreate: false).current.authority.certificate
        #expect((seen == old) == (stop == .renewal))
        #expect(try authority(state, now: later).current.authority.certificate == seen)

        try FileManager.default.removeItem(atPath: obstacle)
        #expect(try store.refresh(now: later))
        let renewed = store.current.authority.certificate
        #expect(renewed.notValidAfter > old.notValidAfter)
        // What was already in force is ended, not made a second time.
        if stop != .renewal { #expect(renewed == seen) }
        #expect(!FileManager.default.fileExists(atPath: state.file("ca/renewal.pem")))
        #expect(try authority(state, now: later, mayCreate: false).current.authority.certificate == renewed)
        #expect(try !store.refresh(now: later))
    }

    @Test func aStartEndsARenewalAndABrokenOneIsNamed() throws {
        let state = try folder()
        defer { try? FileManager.default.removeItem(atPath: state.path) }
        let store = try authority(state)
        let own = try StateFolder(state.file("ca"))
        let files = ["ca-key.pem", "cert-chain.pem", "ca-cert.pem"]
        let old = try files.map { try #require(own.read($0)) }
        let later = Self.now.addingTimeInterval(250 * 86_400)
        #expect(try store.refresh(now: later))
        let new = try files.map { try #require(own.read($0)) }
        for (name, bytes) in zip(files, old) { try own.write(name, bytes) }
        try own.write("renewal.pem", new[0] + new[2] + new[1])
        _ = try authority(state, now: later, mayCreate: false)
        #expect(own.read("ca-key.pem") == old[0])
        _ = try authority(state, now: later)
        for (name, bytes) in zip(files, new) { #expect(own.read(name) == bytes) }
        #expect(own.read("renewal.pem") == nil)
        let mode = try FileManager.default.attributesOfItem(atPath: own.file("ca-key.pem"))[.posixPermissions] as? Int
        #expect(mode == 0o600)

        try own.write("renewal.pem", new[2])
        let failure = try #require(throws: AuthorityStore.Failure.self) { try authority(state, now: later) }
        #expect(failure.description.contains("ca/renewal.pem is not a key, its certificate and their chain"))
    }

    @Test func filesFromElsewhereAreFollowedAndABrokenOneChangesNothing() throws {
        let one = try folder()
        let two = try folder()
        let state = try folder()
        defer { for folder in [one, two, state] { try? FileManager.default.removeItem(atPath: folder.path) } }
        let outside = try authority(one)
        let other = try authority(two)
        let store = try authority(state, external: one.file("ca"))
        #expect(store.current.rootsPEM == outside.current.rootsPEM)
        #expect(!FileManager.default.fileExists(atPath: state.file("ca")))
        let target = try StateFolder(one.file("ca"))
        try target.write("root-cert.pem", Array(other.current.rootsPEM.utf8))
        // The signer does not lead to that root: what was stays in force, and the reason is said.
        #expect(throws: AuthorityStore.Failure.self) { try store.refresh(now: Self.now) }
        #expect(store.current.rootsPEM == outside.current.rootsPEM)
        for name in ["ca-key.pem", "cert-chain.pem", "ca-cert.pem"] {
            try target.write(name, try #require(StateFolder(two.file("ca")).read(name)))
        }
        #expect(try store.refresh(now: Self.now))
        #expect(store.current.rootsPEM == other.current.rootsPEM)
    }

    @Test func aSingleUseTokenIsBoundToItsFirstKeyAlsoAfterARestart() throws {
        let state = try folder()
        defer { try? FileManager.default.removeItem(atPath: state.path) }
        let text = try TokenStore(state: state, trustDomain: domain).create(
            namespace: "shop", serviceAccount: "cart", lifetime: 60, isSingleUse: true, now: Self.now)
        let other = [UInt8](repeating: 2, count: 32)
        for _ in 0..<2 {
            let store = try TokenStore(state: state, trustDomain: domain)
            #expect(try store.admit(text, keyDigest: key, now: Self.now).serviceAccount == "cart")
            #expect(throws: TokenStore.Failure.self) { try store.admit(text, keyDigest: other, now: Self.now) }
            // Without a key nothing binds it.
            #expect(throws: TokenStore.Failure.self) { try store.identify(text, now: Self.now) }
        }
    }

    @Test func aTokenIsGoodUntilItEndsOrIsRevoked() throws {
        let state = try folder()
        defer { try? FileManager.default.removeItem(atPath: state.path) }
        let store = try TokenStore(state: state, trustDomain: domain)
        let text = try store.create(
            namespace: "shop", serviceAccount: "cart", lifetime: 60, isSingleUse: false, now: Self.now)
        #expect(try store.identify(text, now: Self.now).namespace == "shop")
        store.prune(now: Self.now.addingTimeInterval(59))
        #expect(try store.admit(text, keyDigest: key, now: Self.now).namespace == "shop")
        store.prune(now: Self.now.addingTimeInterval(61))
        #expect(throws: TokenStore.Failure.self) { try store.admit(text, keyDigest: key, now: Self.now) }
    }

    @Test func keysAreTheOwnersAlone() throws {
        let state = try folder()
        defer { try? FileManager.default.removeItem(atPath: state.path) }
        _ = try authority(state)
        _ = try TokenStore(state: state, trustDomain: domain)
        for file in ["ca/root-key.pem", "ca/ca-key.pem", "tokens/key.pem"] {
            let mode = try FileManager.default.attributesOfItem(atPath: state.file(file))[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }
}
