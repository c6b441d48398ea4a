internal import ApusCore
internal import ApusModel
package import ApusYAML

/// From the text of one file to typed objects. Knows nothing of other files.
package struct ManifestReader {
    private let file: String
    private var result = ManifestFile()

    /// Reads every document of a file, unfolds lists, decodes and validates each object.
    ///
    /// - Parameter file: the name that findings and positions carry.
    package static func read(file: String, text: [UInt8], limits: YAMLLimits = .standard) -> ManifestFile {
        var reader = ManifestReader(file: file)
        let yaml = YAMLFile.parse(file: file, text: text, limits: limits)
        for document in yaml.documents { reader.read(document) }
        reader.result.findings.append(contentsOf: yaml.findings)
        if !yaml.findings.isEmpty { reader.result.hasUnidentified = true }
        reader.result.findings.sort {
            ($0.location.position, $0.code, $0.message) < ($1.location.position, $1.code, $1.message)
        }
        return reader.result
    }

    private init(file: String) { self.file = file }

    private mutating func read(_ document: YAMLDocument) {
        if document.findings.isEmpty {
            read(document.root, depth: 0)
            return
        }
        // A document that cannot be used still says which objects it meant.
        let keys = identities(in: document.root)
        if keys.isEmpty { result.hasUnidentified = true }
        result.damaged.formUnion(keys)
        let object = keys.count == 1 ? keys[0].description : nil
        for finding in document.findings {
            result.findings.append(
                Finding(
                    finding.severity, finding.code, finding.message, hint: finding.hint, at: finding.location,
                    object: object, field: finding.field))
        }
    }

    private mutating func unidentified(
        _ node: YAMLNode, _ severity: Severity, _ code: String, _ message: String, hint: String?
    ) {
        if severity == .error { result.hasUnidentified = true }
        result.findings.append(
            Finding(
                severity, code, message, hint: hint, at: SourceLocation(file: file, position: node.position)))
    }

    private mutating func read(_ root: YAMLNode, depth: Int) {
        guard root.kind == .mapping else {
            unidentified(
                root, .error, FindingCode.unidentified,
                "a document must be a mapping with apiVersion, kind and metadata, not \(Decoding.describe(root))",
                hint: nil)
            return
        }
        guard let kindNode = root["kind"], kindNode.kind == .scalar, !kindNode.isNull,
            let versionNode = root["apiVersion"], versionNode.kind == .scalar, !versionNode.isNull
        else {
            let missing =
                root["kind"] == nil ? (root["apiVersion"] == nil ? "apiVersion and no kind" : "kind") : "apiVersion"
            unidentified(
                root, .error, FindingCode.unidentified, "the document has no \(missing)",
                hint: "every object says apiVersion, kind and metadata.name")
            return
        }
        let kind = kindNode.text
        let apiVersion = versionNode.text
        if kind.hasSuffix("List"), let items = root["items"] {
            unfold(items, depth: depth)
            return
        }
        switch ServedKinds.find(apiVersion: apiVersion, kind: kind) {
        case .served(let row):
            decode(root, row)
        case .unserved(let row):
            let key = identity(of: root, row)
            if let key { result.damaged.insert(key) } else { result.hasUnidentified = true }
            result.findings.append(
                Finding(
                    .error, FindingCode.unservedVersion, "\(kind) is not served as \(apiVersion)",
                    hint: "write apiVersion: \(ServedKinds.apiVersions(row))",
                    at: SourceLocation(file: file, position: versionNode.position), object: key?.description,
                    field: "apiVersion"))
        case .unsupported:
            unidentified(
                kindNode, .warning, FindingCode.notEnforced,
                "\(apiVersion) \(kind) is not supported: the object has no effect", hint: nil)
        case .unknown:
            let known = ServedKinds.rows[kind].map { "\(kind) of \(ServedKinds.apiVersions($0)) is" }
            let suggestion = Suggestion.closest(to: kind, among: ServedKinds.rows.keys.sorted())
            unidentified(
                kindNode, .info, FindingCode.unknownKind, "\(apiVersion) \(kind) is not a kind that Apus reads",
                hint: known.map { $0 + " read" } ?? suggestion.map { "did you mean \($0)?" })
        }
    }

    private mutating func unfold(_ items: YAMLNode, depth: Int) {
        guard items.kind == .sequence else {
            if !items.isNull {
                unidentified(
                    items, .error, FindingCode.unidentified, "the items of a List must be a list", hint: nil)
            }
            return
        }
        guard depth < 4 else {
            unidentified(items, .error, FindingCode.unidentified, "Lists are nested too deep", hint: nil)
            return
        }
        for item in items.items { read(item, depth: depth + 1) }
    }

    // MARK: Identity

    /// The key of an object, if it has a name.
    private func identity(of root: YAMLNode, _ row: ServedKinds.Row) -> ObjectKey? {
        identity(kind: row.kind, isClusterScoped: row.isClusterScoped, metadata: root["metadata"])
    }

    private func identity(kind: Kind, isClusterScoped: Bool, metadata: YAMLNode?) -> ObjectKey? {
        guard let name = metadata?["name"], name.kind == .scalar, !name.isNull, !name.text.isEmpty else { return nil }
        let namespace = isClusterScoped ? "" : (metadata?["namespace"].map(\.text) ?? "")
        return ObjectKey(
            kind: kind,
            name: NamespacedName(
                namespace: namespace.isEmpty && !isClusterScoped ? "default" : namespace, name: name.text))
    }

    /// The objects of a document whose keys are repeated: each repetition of a root key begins another object.
    private func identities(in root: YAMLNode) -> [ObjectKey] {
        var result: [ObjectKey] = []
        var kind: String?
        var metadata: YAMLNode?
        var seen: Set<String> = []
        func close() {
            if let kind, let row = ServedKinds.rows[kind],
                let key = identity(kind: row.kind, isClusterScoped: row.isClusterScoped, metadata: metadata)
            {
                result.append(key)
            }
        }
        for entry in root.entries {
            let name = entry.key.text
            if !seen.insert(name).inserted {
                close()
                kind = nil
                metadata = nil
                seen = [name]
            }
            if name == "kind" { kind = entry.value.text }
            if name == "metadata" { metadata = entry.value }
        }
        close()
        return result
    }

    // MARK: Decoding

    private mutating func decode(_ root: YAMLNode, _ row: ServedKinds.Row) {
        let key = identity(of: root, row)
        let decoding = Decoding(
            file: file, root: root, object: key?.description, isProtobuf: !row.isKubernetes)
        guard let key else {
            unidentified(
                root["metadata"] ?? root, .error, FindingCode.unidentified,
                "the \(row.kind.rawValue) has no metadata.name", hint: nil)
            return
        }
        let object = Self.decodeObject(root, row, decoding)
        if let object, !decoding.hasError {
            for finding in Validation.findings(object) { decoding.add(finding) }
            if !decoding.hasError {
                for finding in NotEnforced.findings(object) { decoding.add(finding) }
                result.objects.append(object)
            }
        }
        if object == nil || decoding.hasError {
            result.damaged.insert(key)
            if row.kind == .authorizationPolicy {
                // Without it nothing may be left that restricts: that must not pass for one error among others.
                decoding.report(
                    .error, FindingCode.widePolicy,
                    "the AuthorizationPolicy is left out because of its errors: requests are NOT being restricted by it",
                    at: root["kind"] ?? root, field: "kind")
            }
        }
        result.findings.append(contentsOf: decoding.findings)
    }

    private static func decodeObject(
        _ root: YAMLNode, _ row: ServedKinds.Row, _ decoding: Decoding
    ) -> ConfigObject? {
        var metadata = Metadata()
        var spec: Spec?
        Fields.read(root, decoding) { fields in
            fields.ignore("apiVersion", "kind", "status")
            fields.read("metadata", &metadata)
            spec = decodeSpec(root, row.kind, metadata, &fields, decoding)
        }
        if row.isClusterScoped {
            metadata.namespace = ""
        } else if metadata.namespace.isEmpty {
            metadata.namespace = "default"
        }
        guard let spec else { return nil }
        return ConfigObject(
            kind: row.kind, metadata: metadata, spec: spec,
            origin: Origin(
                location: SourceLocation(file: decoding.file, position: root.position),
                locator: FieldLocator(root: root)),
            version: root.contentVersion)
    }

    private static func decodeSpec(
        _ root: YAMLNode, _ kind: Kind, _ metadata: Metadata, _ fields: inout Fields, _ decoding: Decoding
    ) -> Spec? {
        /// The message in `spec`; an object without one has the defaults.
        func spec<Message: FieldMessage>(_ make: (Message) -> Spec) -> Spec {
            var message = Message()
            fields.read("spec", &message)
            return make(message)
        }
        /// Kinds whose fields stand at the root.
        func whole<Message: FieldMessage>(_ make: (Message) -> Spec) -> Spec {
            make(Message.decode(root, decoding) ?? Message())
        }
        switch kind {
        case .virtualService: return spec(Spec.virtualService)
        case .destinationRule: return spec(Spec.destinationRule)
        case .gateway: return spec(Spec.gateway)
        case .serviceEntry: return spec(Spec.serviceEntry)
        case .workloadEntry: return spec(Spec.workloadEntry)
        case .workloadGroup: return spec(Spec.workloadGroup)
        case .sidecar: return spec(Spec.sidecar)
        case .peerAuthentication: return spec(Spec.peerAuthentication)
        case .requestAuthentication: return spec(Spec.requestAuthentication)
        case .authorizationPolicy: return spec(Spec.authorizationPolicy)
        case .envoyFilter: return spec(Spec.envoyFilter)
        case .telemetry: return spec(Spec.telemetry)
        case .proxyConfig: return spec(Spec.proxyConfig)
        case .service: return spec(Spec.service)
        case .endpointSlice:
            return whole { (slice: EndpointSlice) in
                var slice = slice
                slice.serviceName = metadata.labels["kubernetes.io/service-name"] ?? ""
                return .endpointSlice(slice)
            }
        case .endpoints: return whole(Spec.endpoints)
        case .pod: return whole(Spec.pod)
        case .node: return .node(Node())
        case .namespace: return .namespace
        case .serviceAccount: return .serviceAccount
        case .secret: return whole(Spec.secret)
        case .configMap: return whole(Spec.configMap)
        case .deployment, .statefulSet, .daemonSet, .replicaSet, .job, .cronJob:
            return spec(Spec.workloadController)
        }
    }
}
