namespace GrayMQ.NameServer.Routes;

/// <summary>One node: an address within a cluster.</summary>
internal readonly record struct BrokerIdentity(string Cluster, string Address)
{
    public override string ToString() => $"{Address} of {Cluster}";
}
