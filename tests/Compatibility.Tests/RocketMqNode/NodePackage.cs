using GrayMQ.Testing;

namespace GrayMQ.Compatibility.Tests.RocketMqNode;

/// <summary>The npm package rocketmq-client-nodejs: Apache's own client of the 5.x line, which speaks gRPC.</summary>
public sealed class NodePackage : NpmPackage
{
    public NodePackage()
        : base("RocketMqNode/Client", "client.js")
    {
    }
}
