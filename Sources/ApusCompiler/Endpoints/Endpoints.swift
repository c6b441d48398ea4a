internal import ApusAPI
package import ApusMesh

/// Endpoint assignments of EDS clusters.
package enum Endpoints {
    /// nil if `clusterName` is no outbound cluster of a service that the class sees.
    package static func assignment(
        clusterName: String, _ context: CompileContext
    ) -> Compiled<XDS.ClusterLoadAssignment>? { nil }

    /// The EDS clusters whose endpoints come from the service.
    package static func clusterNames(of service: Service.ID, _ context: CompileContext) -> [String] { [] }

    /// What answers a name that cannot be built, so that the client's warming ends.
    package static func placeholder(clusterName: String) -> XDS.ClusterLoadAssignment {
        var assignment = XDS.ClusterLoadAssignment()
        assignment.clusterName = clusterName
        return assignment
    }
}
