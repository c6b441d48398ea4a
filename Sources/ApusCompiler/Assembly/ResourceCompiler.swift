package import ApusCore
package import ApusMesh

/// Compiling for one proxy, from nothing: for the command line and for tests.
package struct ResourceCompiler {
    package static func view(for proxy: Proxy, in snapshot: MeshSnapshot) -> ResourceView {
        CompiledMesh(snapshot: snapshot).view(for: proxy)
    }

    /// The view, and everything that compiling and checking it found.
    package static func compile(
        for proxy: Proxy, in snapshot: MeshSnapshot
    ) -> (view: ResourceView, findings: [Finding]) {
        let mesh = CompiledMesh(snapshot: snapshot)
        let view = mesh.view(for: proxy)
        return (view, mesh.findings(for: proxy) + ReferenceCheck.findings(of: view, in: snapshot))
    }
}
