import ApusAPI
import ApusCompiler
import ApusCore
import ApusIdentity
import ApusMesh
import ApusModel
import Foundation
import Testing

@Suite struct CredentialSecretsTests {
    private typealias Message = Envoy_Extensions_TransportSockets_Tls_V3_Secret

    /// A certificate and its key, as PEM.
    private static let pair: (certificate: String, key: String) = {
        let now = Date(timeIntervalSince1970: 1_800_000_000)
        guard let root = try? RootAuthority.make(trustDomain: .clusterLocal, now: now), let pem = try? root.key.pem,
            let certificate = try? root.certificate.pem
        else { return ("", "") }
        return (certificate, pem)
    }()
    private static let otherKey = (try? WorkloadKey().pem) ?? ""

    private func secret(
        _ name: String, in namespace: String = "istio-system", _ data: [String: String]
    ) -> ConfigObject {
        var spec = Secret()
        spec.data = data.mapValues { SecretBytes(Array($0.utf8)) }
        let metadata = Metadata(name: name, namespace: namespace)
        return ConfigObject(
            kind: .secret, metadata: metadata, spec: .secret(spec),
            version: ContentVersion(of: "\(name) \(data.sorted { $0.key < $1.key })"))
    }

    private var tls: [String: String] { ["tls.crt": Self.pair.certificate, "tls.key": Self.pair.key] }

    private func gateway(_ change: @escaping (inout ServerTLSSettings) -> Void) -> ConfigObject {
        MeshFixture.gateway(servers: [
            MeshFixture.server(MeshFixture.port(443, "HTTPS"), hosts: ["*"]) {
                $0.mode = .simple
                $0.credentialName = "cert"
                change(&$0)
            }
        ])
    }

    private func compile(
        _ objects: [ConfigObject], for proxy: Proxy = MeshFixture.router()
    ) -> (secrets: [String: Message], findings: [String]) {
        let (view, findings) = ResourceCompiler.compile(for: proxy, in: MeshFixture.mesh(objects))
        var result: [String: Message] = [:]
        for (name, resource) in view.secrets.byName { result[name] = MeshFixture.decode(resource) }
        return (result, findings.filter { $0.code == CompilerFinding.unusableCredential }.map(\.message))
    }

    @Test func `both shapes of a Secret are read`() throws {
        let generic = ["cert": Self.pair.certificate, "key": Self.pair.key]
        for data in [tls, generic] {
            let (secrets, findings) = compile([gateway { _ in }, secret("cert", data)])
            let message = try #require(secrets["kubernetes://cert"])
            #expect(message.tlsCertificate.certificateChain.inlineBytes == Data(Self.pair.certificate.utf8))
            #expect(message.tlsCertificate.privateKey.inlineBytes == Data(Self.pair.key.utf8))
            #expect(findings == [])
        }
    }

    @Test func `MUTUAL finds what to trust in a Secret of its own, or beside the certificate`() throws {
        let mutual = gateway { $0.mode = .mutual }
        let roots = Self.pair.certificate
        for objects in [
            [secret("cert", tls), secret("cert-cacert", ["cacert": roots, "crl": "list"])],
            [secret("cert", tls.merging(["ca.crt": roots, "ca.crl": "list"]) { $1 })],
        ] {
            let (secrets, findings) = compile([mutual] + objects)
            let message = try #require(secrets["kubernetes://cert-cacert"])
            #expect(message.validationContext.trustedCa.inlineBytes == Data(roots.utf8))
            #expect(message.validationContext.crl.inlineBytes == Data("list".utf8))
            #expect(findings == [])
        }
        #expect(compile([mutual, secret("cert", tls)]).findings.count == 1)
    }

    @Test func `only what the proxy's own Gateways name is given, and only to a proxy with an identity`() {
        let objects = [gateway { _ in }, secret("cert", tls), secret("other", tls)]
        #expect(compile(objects).secrets.keys.sorted() == ["kubernetes://cert"])
        #expect(compile(objects, for: MeshFixture.router(hasIdentity: false)).secrets.isEmpty)
        var sidecar = MeshFixture.client(namespace: "istio-system")
        sidecar.hasIdentity = true
        #expect(compile(objects, for: sidecar).secrets.isEmpty)
    }

    @Test func `Secrets of another namespace are not given`() {
        let elsewhere = secret("cert", in: "default", tls)
        let (secrets, findings) = compile([gateway { _ in }, elsewhere])
        #expect(secrets.isEmpty && findings.count == 1)
        for name in ["kubernetes://default/cert", "kubernetes-gateway://default/cert", "configmap://default/cert"] {
            let (secrets, findings) = compile([gateway { $0.credentialName = name }, elsewhere])
            #expect(secrets.isEmpty && findings.count == 1, "\(name)")
        }
        let own = secret("cert", tls)
        #expect(
            compile([gateway { $0.credentialName = "kubernetes://istio-system/cert" }, own]).secrets.keys.sorted()
                == ["kubernetes://istio-system/cert"])
    }

    @Test(arguments: [
        ("tls.key", "garbage", "not a private key"), ("tls.crt", "garbage", "no certificate"),
        ("tls.key", otherKey, "does not belong"),
    ])
    func `a pair that cannot be used is left out, and said`(key: String, text: String, reason: String) {
        let (secrets, findings) = compile([gateway { _ in }, secret("cert", tls.merging([key: text]) { $1 })])
        #expect(secrets.isEmpty)
        #expect(findings.count == 1 && findings[0].contains(reason), "\(findings)")
        #expect(!findings.joined().contains("PRIVATE"))
    }

    @Test func `a rule about particular workloads reads Secrets for sidecars`() {
        let rule = MeshFixture.destinationRule("r", in: "istio-system", host: "b.example.com") {
            var settings = ClientTLSSettings()
            settings.mode = .mutual
            settings.credentialName = "cert"
            $0.workloadSelector = ["app": "client"]
            $0.trafficPolicy = TrafficPolicy()
            $0.trafficPolicy?.tls = settings
        }
        let objects = [rule, secret("cert", tls.merging(["ca.crt": Self.pair.certificate]) { $1 })]
        var sidecar = MeshFixture.client(namespace: "istio-system")
        sidecar.hasIdentity = true
        #expect(
            compile(objects, for: sidecar).secrets.keys.sorted() == ["kubernetes://cert", "kubernetes://cert-cacert"])
        sidecar.labels = ["app": "other"]
        #expect(compile(objects, for: sidecar).secrets.isEmpty)
    }

    @Test func `a ConfigMap can hold what to trust`() throws {
        var map = ConfigMap()
        map.data = ["ca.crt": Self.pair.certificate]
        let object = MeshFixture.object(.configMap, "roots", in: "istio-system", .configMap(map))
        let mutual = gateway {
            $0.mode = .mutual
            $0.caCertCredentialName = "configmap://istio-system/roots"
        }
        let (secrets, _) = compile([mutual, secret("cert", tls), object])
        #expect(secrets["configmap://istio-system/roots"]?.validationContext.hasTrustedCa == true)
    }

    @Test func `a changed Secret is a change of secrets and of nothing else`() throws {
        let before = MeshFixture.mesh([gateway { _ in }, secret("cert", tls)])
        let compiled = CompiledMesh(snapshot: before)
        let first = compiled.view(for: MeshFixture.router())
        let after = before.updated(changed: [secret("cert", tls.merging(["tls.ocsp-staple": "x"]) { $1 })])
        let second = compiled.updated(to: after, changes: after.changes(since: before))
            .view(for: MeshFixture.router())
        #expect(second.secrets.version != first.secrets.version)
        #expect(second.listeners === first.listeners && second.clusters === first.clusters)
        let gone = after.updated(changed: [], removed: [secret("cert", tls).key])
        #expect(
            compiled.updated(to: gone, changes: gone.changes(since: before)).view(for: MeshFixture.router())
                .secrets.byName.isEmpty)
    }

    @Test func `what is printed has no key`() {
        let view = ResourceCompiler.view(
            for: MeshFixture.router(), in: MeshFixture.mesh([gateway { _ in }, secret("cert", tls)]))
        let text = CompileOutput.json(view: view, types: [.secret])
        #expect(text.contains("kubernetes://cert") && text.contains("[redacted]"))
        let key = Data(Self.pair.key.utf8).base64EncodedString()
        #expect(!text.contains("PRIVATE KEY") && !text.contains(key))
    }
}
