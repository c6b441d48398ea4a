internal import ApusAPI
internal import ApusCore
internal import ApusDataplane
internal import ApusTraffic
internal import SwiftProtobuf

/// The `/config_dump` page: what was accepted, and what was refused, in Envoy's shape.
struct ConfigDump {
    private let store: ConfigStore
    private let settings: ProxySettings

    init(_ store: ConfigStore, _ settings: ProxySettings) {
        self.store = store
        self.settings = settings
    }

    /// - Parameter query: `resource=dynamic_listeners` and the like picks one list, as with Envoy.
    func json(_ query: [String: String]) -> String {
        if let resource = query["resource"] {
            let list: [String]
            switch resource {
            case "dynamic_listeners": list = listeners
            case "dynamic_route_configs": list = dynamic(.route, "route_config")
            case "dynamic_active_clusters": list = dynamic(.cluster, "cluster")
            case "dynamic_endpoint_configs": list = dynamic(.endpoints, "endpoint_config")
            default: return "{\"error\":\(JSONString.quoted("\(resource) not found in config dump"))}"
            }
            return "{\"configs\":[\(list.joined(separator: ","))]}"
        }
        var configs = [
            bootstrap, section("ClustersConfigDump", "dynamic_active_clusters", dynamic(.cluster, "cluster")),
        ]
        configs.append(section("ListenersConfigDump", "dynamic_listeners", listeners))
        configs.append(section("RoutesConfigDump", "dynamic_route_configs", dynamic(.route, "route_config")))
        if query["include_eds"] != nil {
            configs.append(
                section("EndpointsConfigDump", "dynamic_endpoint_configs", dynamic(.endpoints, "endpoint_config")))
        }
        return "{\"configs\":[\(configs.joined(separator: ","))]}"
    }

    private var bootstrap: String {
        "{\"@type\":\"type.googleapis.com/envoy.admin.v3.BootstrapConfigDump\",\"bootstrap\":{\"node\":{"
            + "\"id\":\(JSONString.quoted(settings.nodeID)),\"cluster\":\(JSONString.quoted(settings.nodeCluster)),"
            + "\"user_agent_name\":\"apus-proxy\",\"user_agent_version\":\(JSONString.quoted(ProgramVersion.text))},"
            + "\"admin\":{\"address\":{\"socket_address\":{\"address\":\"\(settings.adminAddress)\","
            + "\"port_value\":\(settings.adminPort ?? 0)}}}}}"
    }

    private func section(_ type: String, _ list: String, _ items: [String]) -> String {
        let version = type == "EndpointsConfigDump" || type == "RoutesConfigDump" ? "" : "\"version_info\":\"\","
        return "{\"@type\":\"type.googleapis.com/envoy.admin.v3.\(type)\",\(version)"
            + "\"\(list)\":[\(items.joined(separator: ","))]}"
    }

    /// Accepted resources, and behind them the refused versions.
    private func dynamic(_ type: ResourceType, _ field: String) -> [String] {
        let refused = refusals(type)
        var items: [String] = []
        for resource in store.acceptedResources(type) {
            var item = "{\(state(resource.version, resource.updatedAt)),\"\(field)\":\(message(resource.body))"
            if let refusal = refused[resource.name] { item += ",\(refusal)" }
            items.append(item + "}")
        }
        let accepted = Set(store.acceptedResources(type).map(\.name))
        for (name, refusal) in refused.sorted(by: { $0.key < $1.key }) where !accepted.contains(name) {
            items.append("{\(refusal)}")
        }
        return items
    }

    /// Listeners have an active and a warming state.
    private var listeners: [String] {
        let warming = Set(store.warmingListeners)
        let refused = refusals(.listener)
        var items: [String] = []
        let accepted = store.acceptedResources(.listener)
        for resource in accepted {
            let place = warming.contains(resource.name) ? "warming_state" : "active_state"
            var item =
                "{\"name\":\(JSONString.quoted(resource.name)),\"\(place)\":"
                + "{\(state(resource.version, resource.updatedAt)),\"listener\":\(message(resource.body))}"
            if let refusal = refused[resource.name] { item += ",\(refusal)" }
            items.append(item + "}")
        }
        let names = Set(accepted.map(\.name))
        for (name, refusal) in refused.sorted(by: { $0.key < $1.key }) where !names.contains(name) {
            items.append("{\"name\":\(JSONString.quoted(name)),\(refusal)}")
        }
        return items
    }

    private func refusals(_ type: ResourceType) -> [String: String] {
        var result: [String: String] = [:]
        for refusal in store.rejectedResources(type) {
            result[refusal.name] =
                "\"error_state\":{\"failed_configuration\":\(message(refusal.body)),"
                + "\"last_update_attempt\":\"\(time(refusal.attemptedAt))\","
                + "\"details\":\(JSONString.quoted(refusal.reason)),\"version_info\":\(JSONString.quoted(refusal.version))}"
        }
        return result
    }

    private func state(_ version: String, _ updatedAt: Int64) -> String {
        "\"version_info\":\(JSONString.quoted(version)),\"last_updated\":\"\(time(updatedAt))\""
    }

    private func time(_ nanoseconds: Int64) -> String {
        var out: [UInt8] = []
        TimeFormat.write(microseconds: nanoseconds / 1000, format: nil, into: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// The resource with its `@type`, in protobuf's JSON form with the names of the proto files.
    private func message(_ body: [UInt8]) -> String {
        var options = JSONEncodingOptions()
        options.preserveProtoFieldNames = true
        guard let any = try? Google_Protobuf_Any(serializedBytes: body),
            let text = try? any.jsonString(options: options)
        else { return "null" }
        return text
    }
}
