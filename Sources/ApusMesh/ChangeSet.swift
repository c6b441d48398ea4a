package import ApusModel

/// What differs between two snapshots, as far as compiled config can tell.
package struct ChangeSet: Hashable, Sendable {
    /// Objects that were added, removed or changed in content.
    package var objects: Set<ObjectKey>
    /// Services whose endpoints differ.
    package var endpointServices: Set<Service.ID>
    /// Services that were added, removed or changed otherwise.
    package var services: Set<Service.ID>
    package var meshConfigChanged: Bool

    package init(
        objects: Set<ObjectKey> = [],
        endpointServices: Set<Service.ID> = [],
        services: Set<Service.ID> = [],
        meshConfigChanged: Bool = false
    ) {
        self.objects = objects
        self.endpointServices = endpointServices
        self.services = services
        self.meshConfigChanged = meshConfigChanged
    }

    package var kinds: Set<Kind> { Set(objects.map(\.kind)) }

    package var isEmpty: Bool {
        objects.isEmpty && endpointServices.isEmpty && services.isEmpty && !meshConfigChanged
    }

    /// Nothing but endpoints moved: only EDS can differ for outbound config.
    package var endpointsOnly: Bool {
        !meshConfigChanged && services.isEmpty && objects.allSatisfy { Self.endpointKinds.contains($0.kind) }
    }

    private static let endpointKinds: Set<Kind> = [
        .endpointSlice, .endpoints, .pod, .workloadEntry, .node, .namespace, .workloadGroup, .serviceAccount,
        .deployment, .statefulSet, .daemonSet, .replicaSet, .job, .cronJob,
    ]
}
