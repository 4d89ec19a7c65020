namespace GrayMQ.Protocol.Bodies;

/// <summary>All brokers by name, and the names of each cluster's brokers (RocketMQ request 106).</summary>
public sealed record ClusterInfo
{
    public Dictionary<string, BrokerData> BrokerAddrTable { get; set => field = value ?? []; } = [];

    public Dictionary<string, List<string>> ClusterAddrTable { get; set => field = value ?? []; } = [];
}

/// <summary>The nodes under one broker name.</summary>
public sealed record BrokerMemberGroup
{
    /// <summary><c>ip:port</c> by broker id.</summary>
    public Dictionary<long, string> BrokerAddrs { get; set => field = value ?? []; } = [];

    public string? BrokerName { get; set; }

    public string? Cluster { get; set; }
}

/// <summary>Answer to RocketMQ request 901.</summary>
public sealed record GetBrokerMemberGroupResponseBody
{
    public BrokerMemberGroup? BrokerMemberGroup { get; set; }
}
