internal import ApusAPI
internal import SwiftProtobuf
/// Route configurations of a sidecar's outbound listeners.
package enum SidecarRoutes {
    /// The names that the class's listeners ask for; sorted.
    package static func routeNames(_ context: CompileContext) -> [String] { [] }

    /// A name that cannot be built gives an empty route configuration, so that the client's warming ends.
    package static func routeConfiguration(
        named name: String, _ context: CompileContext
    ) -> Compiled<XDS.RouteConfiguration> {
        Compiled(XDS.RouteConfiguration.with { $0.name = name }, sources: [])
    }
}
