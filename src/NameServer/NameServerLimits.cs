namespace GrayMQ.NameServer;

/// <summary>What the name server bears; a request that would go beyond is refused with the limit's value.</summary>
internal static class NameServerLimits
{
    /// <summary>Registered nodes.</summary>
    public const int MaxNodes = 10_000;

    /// <summary>Nodes under one broker name.</summary>
    public const int MaxNodesPerBroker = 100;

    public const int MaxTopics = 1_000_000;

    /// <summary>Characters of a topic, broker, cluster, namespace or key name, or of an address.</summary>
    public const int MaxNameLength = 255;

    /// <summary>The same as UTF-8.</summary>
    public const int MaxNameBytes = 3 * MaxNameLength;

    /// <summary>Key-value configurations, over all namespaces.</summary>
    public const int MaxKVConfigs = 100_000;

    /// <summary>Characters of a configured value.</summary>
    public const int MaxKVValueLength = 64 * 1024;

    /// <summary>Questions for routes that wait for brokers to register again; those beyond are refused at once.</summary>
    public const int MaxHeldQuestions = 10_000;

    /// <summary>Bytes of a configuration in a request.</summary>
    public const int MaxConfigurationBytes = 1024 * 1024;
}
