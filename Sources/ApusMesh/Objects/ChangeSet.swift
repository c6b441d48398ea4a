package import ApusModel

/// What differs between two snapshots, as far as compiled config can tell.
package struct ChangeSet: Hashable, Sendable {
    /// Objects that were added, removed or changed in content; one that only moved within its file is not among them.
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

    /// Nothing but endpoints moved: of outbound config only endpoint lists can differ. (They are EDS, or part of the
    /// cluster where the service is resolved by DNS.) What the touched workloads serve may differ too.
    package var endpointsOnly: Bool {
        !meshConfigChanged && services.isEmpty && objects.allSatisfy { Self.endpointKinds.contains($0.kind) }
    }

    /// Kinds that reach outbound config only through services and endpoints, both of which are compared by content.
    private static let endpointKinds: Set<Kind> = [
        .endpointSlice, .endpoints, .pod, .workloadEntry, .node, .namespace, .workloadGroup, .serviceAccount,
        .deployment, .statefulSet, .daemonSet, .replicaSet, .job, .cronJob, .service, .serviceEntry,
    ]
}
