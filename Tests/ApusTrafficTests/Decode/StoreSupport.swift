internal import ApusAPI
internal import ApusCore
internal import ApusTraffic
internal import SwiftProtobuf

typealias RouteMessage = Envoy_Config_Route_V3_RouteConfiguration
typealias ClusterMessage = Envoy_Config_Cluster_V3_Cluster
typealias EndpointsMessage = Envoy_Config_Endpoint_V3_ClusterLoadAssignment
typealias ListenerMessage = Envoy_Config_Listener_V3_Listener
typealias ManagerMessage = Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager

func packed<M: Message>(_ message: M) throws -> Google_Protobuf_Any {
    var any = Google_Protobuf_Any()
    any.typeURL = "type.googleapis.com/" + M.protoMessageName
    any.value = try message.serializedData()
    return any
}

func body<M: Message>(_ message: M) throws -> [UInt8] { try packed(message).serializedBytes() }

/// Every test configuration starts from one of these, which are accepted as they are.
enum Sample {
    static func routes(_ name: String = "r", _ change: (inout RouteMessage) -> Void = { _ in }) -> RouteMessage {
        var message = RouteMessage.with {
            $0.name = name
            $0.virtualHosts = [
                .with {
                    $0.name = "v"
                    $0.domains = ["*"]
                    $0.routes = [
                        .with {
                            $0.match.prefix = "/"
                            $0.route.cluster = "c"
                        }
                    ]
                }
            ]
        }
        change(&message)
        return message
    }

    static func cluster(_ name: String = "c", _ change: (inout ClusterMessage) -> Void = { _ in }) -> ClusterMessage {
        var message = ClusterMessage.with {
            $0.name = name
            $0.type = .eds
            $0.edsClusterConfig.edsConfig.ads = .init()
        }
        change(&message)
        return message
    }

    static func endpoints(_ name: String = "c", _ change: (inout EndpointsMessage) -> Void = { _ in })
        -> EndpointsMessage
    {
        var message = EndpointsMessage.with {
            $0.clusterName = name
            $0.endpoints = [
                .with {
                    $0.lbEndpoints = [
                        .with {
                            $0.endpoint.address.socketAddress.address = "10.0.0.1"
                            $0.endpoint.address.socketAddress.portValue = 80
                        }
                    ]
                }
            ]
        }
        change(&message)
        return message
    }

    static func manager(_ change: (inout ManagerMessage) -> Void = { _ in }) throws -> ManagerMessage {
        let router = try packed(Envoy_Extensions_Filters_Http_Router_V3_Router())
        var message = ManagerMessage.with {
            $0.statPrefix = "s"
            $0.rds.routeConfigName = "r"
            $0.rds.configSource.ads = .init()
            $0.httpFilters = [
                .with {
                    $0.name = "envoy.filters.http.router"
                    $0.typedConfig = router
                }
            ]
        }
        change(&message)
        return message
    }

    static func listener(
        _ name: String = "l", port: UInt32 = 8080, manager: ManagerMessage? = nil,
        _ change: (inout ListenerMessage) -> Void = { _ in }
    ) throws -> ListenerMessage {
        let config = try packed(manager ?? Self.manager())
        var message = ListenerMessage.with {
            $0.name = name
            $0.address.socketAddress.address = "0.0.0.0"
            $0.address.socketAddress.portValue = port
            $0.filterChains = [
                .with { $0.filters = [.with { $0.typedConfig = config }] }
            ]
        }
        change(&message)
        return message
    }
}

extension ConfigStore {
    mutating func put<M: Message>(_ type: ResourceType, _ name: String, _ message: M) throws -> ConfigVerdict {
        apply(ConfigUpdate(type: type, changed: [.init(name: name, version: "1", body: try body(message))]), now: 1)
    }
}

/// The reason a single resource is refused with; nil: it is accepted.
func refusal<M: Message>(_ type: ResourceType, _ name: String, _ message: M) throws -> String? {
    var store = ConfigStore()
    return try store.put(type, name, message).rejected.first?.reason
}
