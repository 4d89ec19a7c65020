namespace GrayMQ.Chaos.Clusters;

/// <summary>Brokers and name servers as processes of their own, on ports of loopback, with their data in a folder that goes with them unless it is to be kept.</summary>
internal sealed class ClusterUnderTest : IAsyncDisposable
{
    private readonly bool _isKept;
    private readonly string _folder;

    private ClusterUnderTest(ClusterOptions options)
    {
        _isKept = options.Folder is not null;
        _folder = options.Folder is { } folder
            ? Directory.CreateDirectory(folder).FullName
            : Directory.CreateTempSubdirectory("graymq-cluster-").FullName;
        NameServers = [.. Enumerable.Range(0, options.NameServers).Select(_ => new NameServerNode(options, _folder))];
        Brokers = [.. Enumerable.Range(0, options.Brokers).Select(i => new BrokerNode(options, $"broker-{i}", _folder, NameServerList))];
    }

    public IReadOnlyList<NameServerNode> NameServers { get; }

    public IReadOnlyList<BrokerNode> Brokers { get; }

    /// <summary>Addresses of the name servers, separated by semicolons.</summary>
    public string NameServerList => string.Join(';', NameServers.Select(server => server.Address));

    /// <summary>Starts all of it, and waits until every broker is ready.</summary>
    public static async Task<ClusterUnderTest> StartAsync(ClusterOptions options, CancellationToken cancel)
    {
        var cluster = new ClusterUnderTest(options);
        try
        {
            foreach (NameServerNode server in cluster.NameServers)
            {
                await server.StartAsync(cancel);
            }

            await Task.WhenAll(cluster.Brokers.Select(broker => broker.StartAsync(cancel)));
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (BrokerNode broker in Brokers)
        {
            await broker.DisposeAsync();
        }

        foreach (NameServerNode server in NameServers)
        {
            await server.DisposeAsync();
        }

        if (!_isKept)
        {
            Directory.Delete(_folder, recursive: true);
        }
    }
}
