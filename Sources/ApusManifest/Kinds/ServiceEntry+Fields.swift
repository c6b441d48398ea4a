internal import ApusCore
internal import ApusModel
internal import ApusYAML

extension ServiceEntry.Location: FieldEnum {}
extension ServiceEntry.Resolution: FieldEnum {}

extension ServiceEntry: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("hosts", &hosts)
        fields.read("addresses", &addresses)
        fields.read("ports", &ports)
        fields.read("location", &location)
        fields.read("resolution", &resolution)
        fields.read("endpoints", &endpoints)
        fields.readLabels("workloadSelector", in: "labels", &workloadSelector)
        fields.read("exportTo", &exportTo)
        fields.read("subjectAltNames", &subjectAltNames)
    }
}

extension WorkloadEntry: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("address", &address)
        fields.read("ports", &ports)
        fields.read("labels", &labels)
        fields.read("network", &network)
        fields.read("locality", &locality)
        fields.read("weight", &weight)
        fields.read("serviceAccount", &serviceAccount)
    }
}

extension WorkloadGroup: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.nested("metadata") {
            $0.read("labels", &labels)
            $0.read("annotations", &annotations)
        }
        fields.read("template", &template)
        fields.read("probe", &probe)
    }
}

extension WorkloadGroup.Probe: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("initialDelaySeconds", &initialDelaySeconds)
        fields.read("timeoutSeconds", &timeoutSeconds)
        fields.read("periodSeconds", &periodSeconds)
        fields.read("successThreshold", &successThreshold)
        fields.read("failureThreshold", &failureThreshold)

        var methods: [Method] = []
        var path = ""
        var port: UInt32 = 0
        var host = ""
        var scheme = ""
        var headers: [String: String] = [:]
        let hasHTTP = fields.nested("httpGet") {
            $0.read("path", &path)
            $0.read("port", &port)
            $0.read("host", &host)
            $0.read("scheme", &scheme)
            $0.eachNested("httpHeaders") {
                var name = ""
                var value = ""
                $0.read("name", &name)
                $0.read("value", &value)
                headers[name] = value
            }
        }
        if hasHTTP { methods.append(.httpGet(path: path, port: port, host: host, scheme: scheme, headers: headers)) }

        var socketHost = ""
        var socketPort: UInt32 = 0
        let hasSocket = fields.nested("tcpSocket") {
            $0.read("host", &socketHost)
            $0.read("port", &socketPort)
        }
        if hasSocket { methods.append(.tcpSocket(host: socketHost, port: socketPort)) }

        var command: [String] = []
        if fields.nested("exec", { $0.read("command", &command) }) { methods.append(.exec(command)) }

        var grpcPort: UInt32 = 0
        var service = ""
        let hasGRPC = fields.nested("grpc") {
            $0.read("port", &grpcPort)
            $0.read("service", &service)
        }
        if hasGRPC { methods.append(.grpc(port: grpcPort, service: service)) }

        if methods.count > 1 {
            fields.decoding.report(
                .error, FindingCode.schemaError,
                "a probe has more than one of httpGet, tcpSocket, exec and grpc", hint: "keep one of them",
                at: fields.node)
        }
        method = methods.first
    }
}
