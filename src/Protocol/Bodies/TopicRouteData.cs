namespace GrayMQ.Protocol.Bodies;

/// <summary>Where a topic lives: its queues per broker, and the addresses of these brokers.</summary>
public sealed record TopicRouteData
{
    public List<BrokerData> BrokerDatas { get; set => field = value ?? []; } = [];

    /// <summary>Filter servers by broker address; empty since RocketMQ 4.</summary>
    public Dictionary<string, List<string>> FilterServerTable { get; set => field = value ?? []; } = [];

    /// <summary>For ordered topics: <c>broker:queues;broker:queues</c>.</summary>
    public string? OrderTopicConf { get; set; }

    public List<QueueData> QueueDatas { get; set => field = value ?? []; } = [];

    /// <summary>By broker name; null unless the topic is static.</summary>
    public Dictionary<string, TopicQueueMappingInfo>? TopicQueueMappingByBroker { get; set; }
}

/// <summary>A topic's queues at one broker.</summary>
public sealed record QueueData
{
    public string BrokerName { get; set => field = value ?? ""; } = "";

    /// <summary>Bits: 4 read, 2 write, 1 inherit (RocketMQ: PermName).</summary>
    public int Perm { get; set; }

    public int ReadQueueNums { get; set; }

    /// <summary>Bits: 1 unit, 2 unit subscription (RocketMQ: TopicSysFlag).</summary>
    public int TopicSysFlag { get; set; }

    public int WriteQueueNums { get; set; }
}

/// <summary>A broker name and the nodes that serve under it.</summary>
public sealed record BrokerData
{
    /// <summary>The id under which the master stands in <see cref="BrokerAddrs"/>.</summary>
    public const long MasterId = 0;

    /// <summary><c>ip:port</c> by broker id; 0 is the master.</summary>
    public Dictionary<long, string> BrokerAddrs { get; set => field = value ?? []; } = [];

    public string BrokerName { get; set => field = value ?? ""; } = "";

    public string Cluster { get; set => field = value ?? ""; } = "";

    /// <summary>Whether the slave with the lowest id may answer in the master's place.</summary>
    public bool EnableActingMaster { get; set; }

    /// <summary>Where the nodes answer gRPC, <c>host:port</c> by broker id; null when none does. Not of RocketMQ.</summary>
    public Dictionary<long, string>? GrpcAddrs { get; set; }

    public string? ZoneName { get; set; }

    /// <summary>The master's address, or that of the lowest slave; null when nobody is there.</summary>
    public string? FindPreferredAddress() =>
        BrokerAddrs.TryGetValue(MasterId, out var master) ? master : BrokerAddrs.OrderBy(pair => pair.Key).FirstOrDefault().Value;
}
