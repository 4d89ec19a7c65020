using GrayMQ.Cli.Tests.Support;
using GrayMQ.Testing;

namespace GrayMQ.Cli.Tests.Deploy;

/// <summary>The schemas of Kubernetes' API, from the npm package kubernetes-models.</summary>
public sealed class KubernetesSchemas : NpmPackage
{
    public KubernetesSchemas()
        : base("Deploy/Kubernetes", "validate.js")
    {
    }

    /// <summary>Holds files against the schemas; the output is all their documents as one JSON array.</summary>
    internal Task<CommandResult> ValidateAsync(params IEnumerable<string> files) => OutsideCommand.RunAsync("node", [Script, .. files]);
}
