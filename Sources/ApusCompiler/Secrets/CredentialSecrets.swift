internal import ApusAPI
internal import ApusCore
internal import ApusIdentity
internal import ApusMesh
internal import ApusModel
internal import FoundationEssentials

/// The Secrets that a class of proxies gets: those that its own Gateways and DestinationRules name, from its own
/// namespace, and nothing else that is there (semantics 2.5).
struct CredentialSecrets {
    typealias Secret = Envoy_Extensions_TransportSockets_Tls_V3_Secret

    private(set) var resources: [EncodedResource] = []
    private(set) var findings: [Finding] = []

    /// Kinds whose change can change the answer.
    static let kinds: Set<Kind> = [.secret, .configMap, .gateway, .destinationRule]

    private let context: CompileContext

    init(_ context: CompileContext) {
        self.context = context
        guard context.proxyClass.hasIdentity, !context.isProxyless else { return }
        var seen: Set<String> = []
        for reference in references() where seen.insert(reference.name).inserted { serve(reference) }
    }

    /// Who asks for a name, and in which field.
    private struct Reference {
        let name: String
        /// Only what is to be trusted is wanted.
        let isRoots: Bool
        let object: ConfigObject
        let field: String
    }

    private func references() -> [Reference] {
        var result: [Reference] = []
        for gateway in context.snapshot.gateways(of: context.proxyClass) {
            guard case .gateway(let spec) = gateway.spec else { continue }
            for (index, server) in spec.servers.enumerated() {
                guard let tls = server.tls else { continue }
                let field = "spec.servers[\(index)].tls"
                add(tls, in: gateway, field, &result)
            }
        }
        for rule in context.snapshot.objects(of: .destinationRule) {
            guard case .destinationRule(let spec) = rule.spec, reads(rule, spec) else { continue }
            for (tls, field) in spec.clientTLS where !tls.credentialName.isEmpty {
                let name = ServerTLS.resourceName(tls.credentialName)
                if tls.mode == .mutual {
                    result.append(Reference(name: name, isRoots: false, object: rule, field: "\(field).credentialName"))
                }
                result.append(
                    Reference(
                        name: name + CredentialName.rootsSuffix, isRoots: true, object: rule,
                        field: "\(field).credentialName"))
            }
        }
        return result
    }

    private func add(
        _ tls: ServerTLSSettings, in gateway: ConfigObject, _ field: String, _ result: inout [Reference]
    ) {
        guard tls.mode == .simple || tls.mode == .mutual || tls.mode == .optionalMutual else { return }
        let names = tls.credentialNames.isEmpty ? [tls.credentialName] : tls.credentialNames
        let place = tls.credentialNames.isEmpty ? "\(field).credentialName" : "\(field).credentialNames"
        for name in names where !name.isEmpty {
            result.append(
                Reference(name: ServerTLS.resourceName(name), isRoots: false, object: gateway, field: place))
        }
        guard tls.mode != .simple else { return }
        if !tls.caCertCredentialName.isEmpty {
            result.append(
                Reference(
                    name: ServerTLS.resourceName(tls.caCertCredentialName), isRoots: true, object: gateway,
                    field: "\(field).caCertCredentialName"))
        } else if let first = names.first, !first.isEmpty {
            result.append(
                Reference(
                    name: ServerTLS.resourceName(first) + CredentialName.rootsSuffix, isRoots: true, object: gateway,
                    field: place))
        }
    }

    /// Gateways read Secrets for every rule, sidecars only for one that is about them.
    private func reads(_ object: ConfigObject, _ spec: DestinationRule) -> Bool {
        if context.isRouter { return true }
        guard let selector = spec.workloadSelector, !selector.isEmpty else { return false }
        return object.metadata.namespace == context.proxyClass.namespace
            && LabelSelector(selector).selects(context.proxyClass.labels)
    }

    // MARK: Content

    private mutating func serve(_ reference: Reference) {
        guard let name = CredentialName(reference.name, proxyNamespace: context.proxyClass.namespace) else {
            report(
                CompilerFinding.unusableCredential,
                "\(reference.name) is not served: only Secrets and ConfigMaps of the proxy's own namespace "
                    + "(\(context.proxyClass.namespace)) are",
                reference.object, reference.field)
            return
        }
        if reference.isRoots { serveRoots(name, reference) } else { servePair(name, reference) }
    }

    private mutating func servePair(_ name: CredentialName, _ reference: Reference) {
        guard name.source == .secret, let (object, data) = content(name, name.name) else {
            missing(name, reference)
            return
        }
        for (certificate, key) in [("cert", "key"), ("tls.crt", "tls.key")] {
            guard let chain = data[certificate], let secretKey = data[key] else { continue }
            if let fault = CredentialCheck.fault(certificates: chain, key: secretKey) {
                report(
                    CompilerFinding.unusableCredential, "the Secret is left out: \(fault)", object,
                    "data[\"\(certificate)\"]")
                return
            }
            var secret = Secret()
            secret.name = reference.name
            secret.tlsCertificate.certificateChain.inlineBytes = Data(chain)
            secret.tlsCertificate.privateKey.inlineBytes = Data(secretKey)
            if let staple = data["tls.ocsp-staple"] { secret.tlsCertificate.ocspStaple.inlineBytes = Data(staple) }
            append(secret, [object, reference.object])
            return
        }
        report(
            CompilerFinding.unusableCredential,
            "the Secret is left out: it has neither tls.crt and tls.key nor cert and key", object, "data")
    }

    /// What to trust: a Secret of the full name, else the same keys in the one without `-cacert`.
    private mutating func serveRoots(_ name: CredentialName, _ reference: Reference) {
        var candidates = [name.name]
        if name.name.hasSuffix(CredentialName.rootsSuffix) {
            candidates.append(String(name.name.dropLast(CredentialName.rootsSuffix.count)))
        }
        for candidate in candidates {
            guard let (object, data) = content(name, candidate) else { continue }
            guard let key = ["cacert", "ca.crt"].first(where: { data[$0] != nil }), let roots = data[key] else {
                continue
            }
            if let fault = CredentialCheck.fault(roots: roots) {
                report(
                    CompilerFinding.unusableCredential, "the CA certificate is left out: \(fault)", object,
                    "data[\"\(key)\"]")
                return
            }
            var secret = Secret()
            secret.name = reference.name
            secret.validationContext.trustedCa.inlineBytes = Data(roots)
            if let list = data["crl"] ?? data["ca.crl"] { secret.validationContext.crl.inlineBytes = Data(list) }
            append(secret, [object, reference.object])
            return
        }
        missing(name, reference)
    }

    private func content(_ name: CredentialName, _ objectName: String) -> (ConfigObject, [String: [UInt8]])? {
        let kind: Kind = name.source == .secret ? .secret : .configMap
        let key = ObjectKey(kind: kind, name: NamespacedName(namespace: name.namespace, name: objectName))
        guard let object = context.snapshot.object(key) else { return nil }
        switch object.spec {
        case .secret(let secret): return (object, secret.data.mapValues(\.bytes))
        case .configMap(let map): return (object, map.data.mapValues { Array($0.utf8) })
        default: return nil
        }
    }

    private mutating func append(_ secret: Secret, _ sources: [ConfigObject]) {
        resources.append(
            Encoding.resource(Compiled(secret, sources: sources.map(\.key)), name: secret.name, type: .secret))
    }

    private mutating func missing(_ name: CredentialName, _ reference: Reference) {
        let kind = name.source == .secret ? "Secret" : "ConfigMap"
        report(
            CompilerFinding.unusableCredential,
            reference.isRoots
                ? "there is no CA certificate for \(reference.name) in namespace \(name.namespace): connections that need "
                    + "it fail"
                : "there is no \(kind) \(name.namespace)/\(name.name): the server waits for it", reference.object,
            reference.field)
    }

    private mutating func report(_ code: String, _ message: String, _ object: ConfigObject, _ field: String) {
        // The object may have moved within its file since.
        let origin = (context.snapshot.object(object.key) ?? object).origin
        findings.append(
            Finding(
                .warning, code, message, at: origin.location(of: field), object: object.key.description, field: field))
    }
}

extension DestinationRule {
    /// Every TLS block with the path to it.
    fileprivate var clientTLS: [(ClientTLSSettings, String)] {
        var result: [(ClientTLSSettings, String)] = []
        func add(_ policy: TrafficPolicy?, _ path: String) {
            guard let policy else { return }
            if let tls = policy.tls { result.append((tls, "\(path).tls")) }
            for (index, port) in policy.portLevelSettings.enumerated() {
                if let tls = port.tls { result.append((tls, "\(path).portLevelSettings[\(index)].tls")) }
            }
        }
        add(trafficPolicy, "spec.trafficPolicy")
        for (index, subset) in subsets.enumerated() {
            add(subset.trafficPolicy, "spec.subsets[\(index)].trafficPolicy")
        }
        return result
    }
}
