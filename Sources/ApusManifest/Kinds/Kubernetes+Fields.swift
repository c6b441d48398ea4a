internal import ApusCore
internal import ApusModel
internal import ApusYAML

// Kubernetes' kinds, read for the fields that Apus uses.

extension KubernetesService: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("type", &type)
        var address: String?
        fields.read("clusterIP", &address)
        fields.read("clusterIPs", &clusterIPs)
        if clusterIPs.isEmpty, let address, !address.isEmpty { clusterIPs = [address] }
        isHeadless = clusterIPs.first == "None"
        clusterIPs.removeAll { $0 == "None" }
        fields.read("externalName", &externalName)
        fields.read("externalIPs", &externalIPs)
        fields.read("ports", &ports)
        fields.read("selector", &selector)
        fields.read("publishNotReadyAddresses", &publishNotReadyAddresses)
        var policy = ""
        fields.read("internalTrafficPolicy", &policy)
        internalTrafficLocal = policy == "Local"
        fields.read("trafficDistribution", &trafficDistribution)
    }
}

extension KubernetesService.Port: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("name", &name)
        fields.read("protocol", &transport)
        fields.read("appProtocol", &appProtocol)
        fields.read("port", &port)
        fields.read("targetPort", &targetPort)
        fields.read("nodePort", &nodePort)
    }
}

extension KubernetesService.TargetPort: FieldValue {
    static func decode(_ node: YAMLNode, _ decoding: Decoding) -> Self? {
        if case .integer = node.scalar { return UInt32.decode(node, decoding).map(Self.number) }
        guard node.kind == .scalar, case .string = node.scalar else {
            decoding.wrongType(node, expected: "a port number or a port name")
            return nil
        }
        let text = node.text
        if let number = UInt32(text) { return .number(number) }
        return .name(text)
    }
}

extension EndpointSlice: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("addressType", &addressType)
        fields.read("endpoints", &endpoints)
        fields.read("ports", &ports)
    }
}

extension EndpointSlice.Endpoint: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("addresses", &addresses)
        fields.nested("conditions") {
            $0.read("ready", &ready)
            $0.read("serving", &serving)
            $0.read("terminating", &terminating)
        }
        fields.read("hostname", &hostname)
        fields.read("nodeName", &nodeName)
        fields.read("zone", &zone)
        fields.readTargetPod(&targetPod)
    }
}

extension Fields {
    /// `targetRef`, if it names a Pod.
    fileprivate mutating func readTargetPod(_ target: inout String) {
        nested("targetRef") {
            var kind = ""
            var name = ""
            $0.read("kind", &kind)
            $0.read("name", &name)
            if kind == "Pod" { target = name }
        }
    }
}

extension EndpointSlice.Port: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("name", &name)
        fields.read("protocol", &transport)
        fields.read("port", &port)
        fields.read("appProtocol", &appProtocol)
    }
}

extension KubernetesEndpoints: FieldMessage {
    mutating func read(_ fields: inout Fields) { fields.read("subsets", &subsets) }
}

extension KubernetesEndpoints.Subset: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("addresses", &addresses)
        fields.read("notReadyAddresses", &notReadyAddresses)
        fields.read("ports", &ports)
    }
}

extension KubernetesEndpoints.Address: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("ip", &ip)
        fields.read("hostname", &hostname)
        fields.read("nodeName", &nodeName)
        fields.readTargetPod(&targetPod)
    }
}

extension Fields {
    /// What a pod's spec says of its service account and ports.
    fileprivate mutating func readPodSpec(_ account: inout String, _ ports: inout [Pod.ContainerPort]) {
        // The old name first, so that the new one wins.
        read("serviceAccount", &account)
        read("serviceAccountName", &account)
        if account.isEmpty { account = "default" }
        eachNested("containers") {
            var own: [Pod.ContainerPort] = []
            $0.read("ports", &own)
            ports.append(contentsOf: own)
        }
    }
}

extension Pod.ContainerPort: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("name", &name)
        fields.read("containerPort", &containerPort)
        fields.read("protocol", &transport)
    }
}

extension Pod: FieldMessage {
    /// From the document's root: metadata, spec and status are all used.
    mutating func read(_ fields: inout Fields) {
        fields.nested("metadata") { metadata in
            metadata.eachNested("ownerReferences") {
                var isController = false
                var kind = ""
                var name = ""
                $0.read("controller", &isController)
                $0.read("kind", &kind)
                $0.read("name", &name)
                if isController { owner = kind + "/" + name }
            }
        }
        fields.nested("spec") {
            $0.readPodSpec(&serviceAccountName, &containerPorts)
            $0.read("nodeName", &nodeName)
            $0.read("hostNetwork", &hostNetwork)
        }
        fields.nested("status") { status in
            status.read("phase", &phase)
            var single: String?
            status.read("podIP", &single)
            status.eachNested("podIPs") {
                var address = ""
                $0.read("ip", &address)
                if !address.isEmpty { podIPs.append(address) }
            }
            if podIPs.isEmpty, let single, !single.isEmpty { podIPs = [single] }
            status.eachNested("conditions") {
                var type = ""
                var state = ""
                $0.read("type", &type)
                $0.read("status", &state)
                if type == "Ready" { ready = state == "True" }
            }
        }
    }
}

extension Secret: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("type", &type)
        if let node = fields.take("data") {
            if node.kind != .mapping { fields.decoding.wrongType(node, expected: "a mapping") }
            for entry in node.entries where !entry.value.isNull {
                guard entry.value.kind == .scalar, let bytes = Base64.decode(entry.value.text, allowsURLAlphabet: false)
                else {
                    // The value itself must not reach the message.
                    fields.decoding.report(
                        .error, FindingCode.schemaError, "\(entry.key.text) is not base 64 text",
                        hint: "use stringData for plain text", at: entry.value)
                    continue
                }
                data[entry.key.text] = SecretBytes(bytes)
            }
        }
        if let node = fields.take("stringData") {
            if node.kind != .mapping { fields.decoding.wrongType(node, expected: "a mapping") }
            for entry in node.entries {
                guard entry.value.kind == .scalar else {
                    fields.decoding.wrongType(entry.value, expected: "a string")
                    continue
                }
                data[entry.key.text] = SecretBytes(Array(entry.value.text.utf8))
            }
        }
    }
}

extension ConfigMap: FieldMessage {
    mutating func read(_ fields: inout Fields) { fields.read("data", &data) }
}

extension WorkloadController: FieldMessage {
    /// From the `spec`.
    mutating func read(_ fields: inout Fields) {
        fields.nested("template") { template in
            template.nested("metadata") {
                $0.read("labels", &templateLabels)
                $0.read("annotations", &templateAnnotations)
            }
            template.nested("spec") { $0.readPodSpec(&serviceAccountName, &containerPorts) }
        }
        // CronJob: the same one level deeper.
        fields.nested("jobTemplate") { job in job.nested("spec") { read(&$0) } }
    }
}
