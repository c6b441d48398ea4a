import ApusAPI
import ApusCompiler
import ApusCore
import ApusMesh
import ApusModel
import SwiftProtobuf
import Testing

@Suite struct EndpointTests {
    private let name = "outbound|80||vm.example.com"

    private func entry(_ endpoints: [WorkloadEntry]) -> ConfigObject {
        Outbound.entry(
            "vm", hosts: ["vm.example.com"], ports: [(80, "HTTP", 8080)], resolution: .static, endpoints: endpoints)
    }

    private func groups(_ context: CompileContext, _ name: String? = nil) -> [XDS.LocalityLbEndpoints] {
        Endpoints.assignment(clusterName: name ?? self.name, context)?.message.endpoints ?? []
    }

    private func addresses(_ group: XDS.LocalityLbEndpoints) -> [String] {
        group.lbEndpoints.map(\.endpoint.address.socketAddress.address)
    }

    private func policy(_ change: (inout TrafficPolicy) -> Void) -> ConfigObject {
        var policy = TrafficPolicy()
        change(&policy)
        return Outbound.destinationRule("vm", host: "vm.example.com") { $0.trafficPolicy = policy }
    }

    private func places(_ localities: [String]) -> [WorkloadEntry] {
        localities.enumerated().map { Outbound.workload("10.0.0.\($0 + 1)", locality: $1) }
    }

    @Test func `endpoints are grouped by place, sorted, and a place weighs what its endpoints weigh`() {
        let context = Outbound.context([
            entry([
                Outbound.workload("10.0.0.3", locality: "b/z", weight: 5),
                Outbound.workload("10.0.0.1", locality: "a/z"),
                Outbound.workload("10.0.0.2", locality: "a/z", weight: 2),
            ])
        ])
        let groups = groups(context)
        #expect(groups.map(\.locality.region) == ["a", "b"])
        #expect(groups.map(\.loadBalancingWeight.value) == [3, 5])
        #expect(addresses(groups[0]) == ["10.0.0.1", "10.0.0.2"])
        #expect(groups[0].lbEndpoints.map(\.loadBalancingWeight.value) == [1, 2])
        #expect(groups[0].lbEndpoints[0].endpoint.address.socketAddress.portValue == 8080)
        #expect(groups.allSatisfy { $0.priority == 0 })
    }

    /// Region and priority of each group under zone-aware settings; the client is in `a/x`.
    private func zoneAware(
        _ endpoints: [String], mesh: (inout MeshConfig) -> Void = { _ in },
        _ change: ((inout ZoneAwareSettings) -> Void)?
    ) -> [String: UInt32] {
        let rule = change.map { change in
            policy {
                var settings = ZoneAwareSettings()
                change(&settings)
                $0.loadBalancer = LoadBalancerSettings()
                $0.loadBalancer?.zoneAwareLb = settings
            }
        }
        let context = Outbound.context(
            [entry(places(endpoints))] + (rule.map { [$0] } ?? []), locality: Locality("a/x"), mesh)
        return Dictionary(
            uniqueKeysWithValues: groups(context).map { ("\($0.locality.region)/\($0.locality.zone)", $0.priority) })
    }

    @Test func `zone-aware balancing keeps the zones of the client's region together and puts other regions behind`() {
        let endpoints = ["a/x", "a/y", "b/x", "c/x"]
        #expect(zoneAware(endpoints) { _ in } == ["a/x": 0, "a/y": 0, "b/x": 1, "c/x": 1])
        var failover = LocalityLoadBalancerSettings.Failover()
        failover.from = "a"
        failover.to = "c"
        #expect(zoneAware(endpoints) { $0.failover = [failover] } == ["a/x": 0, "a/y": 0, "c/x": 1, "b/x": 2])
        #expect(zoneAware(endpoints) { $0.enabled = false } == ["a/x": 0, "a/y": 0, "b/x": 0, "c/x": 0])
    }

    @Test func `the mesh's zone-aware settings count where no rule has any, and win over its locality settings`() {
        let endpoints = ["a/x", "a/y", "b/x"]
        let mesh: (inout MeshConfig) -> Void = { $0.zoneAwareLbSetting = ZoneAwareSettings() }
        #expect(zoneAware(endpoints, mesh: mesh, nil) == ["a/x": 0, "a/y": 0, "b/x": 1])
        #expect(zoneAware(endpoints, mesh: mesh) { $0.enabled = false } == ["a/x": 0, "a/y": 0, "b/x": 0])
    }

    @Test func `a subset has the endpoints with all of its labels, and without labels all`() {
        let rule = Outbound.destinationRule("r", host: "reviews") {
            $0.subsets = [
                Outbound.subset("v1", ["version": "v1"]), Outbound.subset("all"),
                Outbound.subset("v9", ["version": "v9"]),
            ]
        }
        let context = Outbound.context([
            Outbound.service("reviews"), rule,
            Outbound.pod("a", app: "reviews", ip: "10.0.0.1", labels: ["version": "v1"]),
            Outbound.pod("b", app: "reviews", ip: "10.0.0.2", labels: ["version": "v2"]),
        ])
        func found(_ subset: String) -> [String] {
            groups(context, "outbound|80|\(subset)|reviews.default.svc.cluster.local").flatMap(addresses)
        }
        #expect(found("") == ["10.0.0.1", "10.0.0.2"])
        #expect(found("v1") == ["10.0.0.1"])
        #expect(found("all") == ["10.0.0.1", "10.0.0.2"])
        #expect(found("v9").isEmpty)
    }

    @Test func `unhealthy endpoints are marked, and left out when minHealthPercent counts`() {
        let objects = [
            Outbound.service("reviews"), Outbound.pod("a", app: "reviews", ip: "10.0.0.1", ready: true),
            Outbound.pod("b", app: "reviews", ip: "10.0.0.2", ready: false),
        ]
        let name = "outbound|80||reviews.default.svc.cluster.local"
        let marked = groups(Outbound.context(objects), name).flatMap(\.lbEndpoints)
        #expect(marked.map(\.healthStatus) == [.unknown, .unhealthy])
        let counting = Outbound.destinationRule("r", host: "reviews") {
            $0.trafficPolicy = TrafficPolicy()
            $0.trafficPolicy?.outlierDetection = OutlierDetectionSettings()
            $0.trafficPolicy?.outlierDetection?.minHealthPercent = 50
        }
        let left = groups(Outbound.context(objects + [counting]), name)
        #expect(left.flatMap(addresses) == ["10.0.0.1"])
    }

    @Test func `endpoints carry the workload that telemetry names`() {
        let context = Outbound.context([
            Outbound.service("reviews"),
            Outbound.pod("reviews-1", app: "reviews", ip: "10.0.0.1", labels: ["version": "v2"]),
        ])
        let endpoint = groups(context, "outbound|80||reviews.default.svc.cluster.local")[0].lbEndpoints[0]
        #expect(
            endpoint.metadata.filterMetadata["istio"]?.fields["workload"]?.stringValue
                == "reviews-1;default;reviews;v2;Kubernetes")
        // Nobody can prove an identity yet, so none is claimed.
        #expect(endpoint.metadata.filterMetadata["envoy.transport_socket_match"] == nil)
    }

    @Test func `a cluster of no visible service, port or subset has no assignment`() {
        let context = Outbound.context(Outbound.services)
        for name in [
            "outbound|80||nobody.example.com", "outbound|81||reviews.default.svc.cluster.local",
            "outbound|80|v1|reviews.default.svc.cluster.local", "PassthroughCluster", "",
        ] {
            #expect(Endpoints.assignment(clusterName: name, context) == nil)
        }
        #expect(Endpoints.placeholder(clusterName: "x").clusterName == "x")
    }

    @Test func `the clusters of a service are its ports and subsets`() {
        let rule = Outbound.destinationRule("r", host: "reviews") { $0.subsets = [Outbound.subset("v1")] }
        let context = Outbound.context(Outbound.services + [rule])
        let id = Service.ID(host: HostName("reviews.default.svc.cluster.local"), namespace: "default")
        #expect(
            Endpoints.clusterNames(of: id, context) == [
                "outbound|80|v1|reviews.default.svc.cluster.local", "outbound|80||reviews.default.svc.cluster.local",
            ])
    }

    @Test func `weights are scaled down to a sum that fits 32 bits`() {
        let context = Outbound.context([
            entry([
                Outbound.workload("10.0.0.1", weight: .max), Outbound.workload("10.0.0.2", weight: .max),
                Outbound.workload("10.0.0.3", locality: "b", weight: 1),
            ])
        ])
        let sum = groups(context).reduce(UInt64(0)) { $0 + UInt64($1.loadBalancingWeight.value) }
        #expect(sum <= UInt64(UInt32.max))
        #expect(groups(context).flatMap(\.lbEndpoints).allSatisfy { $0.loadBalancingWeight.value > 0 })
    }

    // MARK: Locality

    private let here = Locality("a/1/x")

    @Test func `without outlier detection nothing fails over`() {
        let context = Outbound.context([entry(places(["a/1/x", "b/1/x"]))], locality: here)
        #expect(groups(context).map(\.priority) == [0, 0])
    }

    @Test func `with outlier detection the nearest is first: subzone, zone, region, elsewhere`() {
        let objects = [
            entry(places(["b/1/x", "a/1/x", "a/2/x", "a/1/y"])),
            policy { $0.outlierDetection = OutlierDetectionSettings() },
        ]
        let groups = groups(Outbound.context(objects, locality: here))
        #expect(groups.flatMap(addresses) == ["10.0.0.2", "10.0.0.4", "10.0.0.3", "10.0.0.1"])
        #expect(groups.map(\.priority) == [0, 1, 2, 3])
    }

    @Test func `priorities have no gaps`() {
        let objects = [
            entry(places(["b/1/x", "a/2/x"])), policy { $0.outlierDetection = OutlierDetectionSettings() },
        ]
        #expect(groups(Outbound.context(objects, locality: here)).map(\.priority) == [0, 1])
    }

    @Test func `failover names the region that comes next`() {
        var setting = LocalityLoadBalancerSettings()
        var failover = LocalityLoadBalancerSettings.Failover()
        failover.from = "a"
        failover.to = "c"
        setting.failover = [failover]
        let objects = [
            entry(places(["a/1/x", "b/1/x", "c/1/x"])),
            policy {
                $0.outlierDetection = OutlierDetectionSettings()
                $0.loadBalancer = LoadBalancerSettings()
                $0.loadBalancer?.localityLb = setting
            },
        ]
        let groups = groups(Outbound.context(objects, locality: here))
        #expect(groups.map(\.locality.region) == ["a", "c", "b"])
        #expect(groups.map(\.priority) == [0, 1, 2])
    }

    @Test func `distribute shares traffic out and leaves unnamed places without any`() {
        var setting = LocalityLoadBalancerSettings()
        var distribute = LocalityLoadBalancerSettings.Distribute()
        distribute.from = "a/*"
        distribute.to = ["a/1/*": 80, "b/*": 20]
        setting.distribute = [distribute]
        let objects = [
            entry(places(["a/1/x", "b/1/x", "b/2/x", "c/1/x"])),
            policy {
                $0.loadBalancer = LoadBalancerSettings()
                $0.loadBalancer?.localityLb = setting
            },
        ]
        let groups = groups(Outbound.context(objects, locality: here))
        #expect(groups.map(\.locality.region) == ["a", "b", "b"])
        #expect(groups.map(\.loadBalancingWeight.value) == [80, 10, 10])
    }

    @Test func `failoverPriority counts equal labels from the start of the list`() {
        var setting = LocalityLoadBalancerSettings()
        setting.failoverPriority = ["tier", "topology.kubernetes.io/region"]
        let endpoints = [
            Outbound.workload("10.0.0.1", locality: "a", labels: ["tier": "gold"]),
            Outbound.workload("10.0.0.2", locality: "b", labels: ["tier": "gold"]),
            Outbound.workload("10.0.0.3", locality: "a", labels: ["tier": "tin"]),
        ]
        let objects = [
            entry(endpoints),
            policy {
                $0.outlierDetection = OutlierDetectionSettings()
                $0.loadBalancer = LoadBalancerSettings()
                $0.loadBalancer?.localityLb = setting
            },
        ]
        let groups = groups(Outbound.context(objects, labels: ["tier": "gold"], locality: Locality("a")))
        #expect(groups.flatMap(addresses) == ["10.0.0.1", "10.0.0.2", "10.0.0.3"])
        #expect(groups.map(\.priority) == [0, 1, 2])
    }

    @Test func `the mesh can turn locality off`() {
        let objects = [
            entry(places(["b/1/x", "a/1/x"])), policy { $0.outlierDetection = OutlierDetectionSettings() },
        ]
        let context = Outbound.context(objects, locality: here) { $0.localityLbSetting.enabled = false }
        #expect(groups(context).map(\.priority) == [0, 0])
    }
}
