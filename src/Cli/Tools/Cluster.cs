using GrayMQ.Client.Admin;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Names;
using GrayMQ.Settings;

namespace GrayMQ.Cli.Tools;

/// <summary>The servers as commands ask for them: by names that people know, with errors that help.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    private readonly string _nameServers;

    public Cluster(string nameServers, TimeProvider time)
    {
        _nameServers = nameServers;
        Admin = new AdminClient(new AdminOptions { NameServers = nameServers }, time: time);
    }

    public AdminClient Admin { get; }

    public ValueTask DisposeAsync() => Admin.DisposeAsync();

    /// <summary>All brokers, slaves included, in the order of cluster, name and id.</summary>
    public async Task<IReadOnlyList<BrokerNode>> BrokersAsync(CancellationToken cancel)
    {
        ClusterInfo info = await Admin.DescribeClusterAsync(cancel).ConfigureAwait(false);
        return
        [
            .. info.BrokerAddrTable.Values
                .SelectMany(broker => broker.BrokerAddrs.Select(
                    node => new BrokerNode(broker.Cluster, broker.BrokerName, node.Key, node.Value)))
                .OrderBy(node => node.Cluster, StringComparer.Ordinal)
                .ThenBy(node => node.Name, StringComparer.Ordinal)
                .ThenBy(node => node.Id),
        ];
    }

    /// <summary>The masters of a cluster (null: of all), or the one with a name; at least one.</summary>
    /// <exception cref="CommandFailure">There is none.</exception>
    public async Task<IReadOnlyList<BrokerNode>> MastersAsync(string? cluster, string? broker, CancellationToken cancel)
    {
        IReadOnlyList<BrokerNode> all = await BrokersAsync(cancel).ConfigureAwait(false);
        BrokerNode[] masters = [.. all.Where(node => node.Id == BrokerData.MasterId)];
        if (masters.Length == 0)
        {
            throw CommandFailure.NotFound($"no broker is registered with name server {_nameServers}");
        }

        RequireKnown("cluster", cluster, masters.Select(node => node.Cluster));
        RequireKnown("broker", broker, masters.Select(node => node.Name));
        BrokerNode[] chosen =
            [.. masters.Where(node => (cluster ?? node.Cluster) == node.Cluster && (broker ?? node.Name) == node.Name)];
        return chosen.Length > 0 ? chosen : throw CommandFailure.NotFound($"broker {broker} is not in cluster {cluster}");
    }

    /// <summary>Where a topic lives.</summary>
    /// <exception cref="CommandFailure">It does not exist; the message names one that is similar.</exception>
    public async Task<TopicRouteData> RouteAsync(string topic, CancellationToken cancel)
    {
        RequireTopicName(topic);
        return await Admin.FindRouteAsync(topic, cancel).ConfigureAwait(false)
            ?? throw await TopicNotFoundAsync(topic, cancel).ConfigureAwait(false);
    }

    /// <summary>The queues of a topic that can be read, with the address of a broker to ask for each.</summary>
    /// <exception cref="CommandFailure">The topic does not exist.</exception>
    public async Task<IReadOnlyList<(MessageQueue Queue, string Address)>> ReadableQueuesAsync(
        string topic, CancellationToken cancel)
    {
        TopicRouteData route = await RouteAsync(topic, cancel).ConfigureAwait(false);
        var queues = new List<(MessageQueue Queue, string Address)>();
        foreach (QueueData data in route.QueueDatas.Where(data => TopicPermission.IsReadable(data.Perm)))
        {
            string? address = route.BrokerDatas.Find(broker => broker.BrokerName == data.BrokerName)?.FindPreferredAddress();
            if (address is not null)
            {
                queues.AddRange(Enumerable.Range(0, data.ReadQueueNums)
                    .Select(id => (new MessageQueue(topic, data.BrokerName, id), address)));
            }
        }

        return [.. queues.OrderBy(queue => queue.Queue)];
    }

    /// <summary>That a topic does not exist, and which one may be meant.</summary>
    public async Task<CommandFailure> TopicNotFoundAsync(string topic, CancellationToken cancel) => NotFound(
        "topic", topic, await Admin.ListTopicsAsync(cancel).ConfigureAwait(false));

    /// <summary>That a group does not exist, and which one may be meant.</summary>
    public static CommandFailure GroupNotFound(string group, IEnumerable<string> groups) => NotFound("group", group, groups);

    /// <exception cref="CommandFailure">No topic can have this name.</exception>
    public static void RequireTopicName(string topic)
    {
        if (TopicNames.Problem(topic) is { } problem)
        {
            throw CommandFailure.Usage($"{topic}: {problem}");
        }
    }

    /// <exception cref="CommandFailure">No group can have this name.</exception>
    public static void RequireGroupName(string group)
    {
        if (GroupNames.Problem(group) is { } problem)
        {
            throw CommandFailure.Usage($"{group}: {problem}");
        }
    }

    private static void RequireKnown(string kind, string? name, IEnumerable<string> known)
    {
        string[] names = [.. known.Distinct()];
        if (name is not null && !names.Contains(name, StringComparer.Ordinal))
        {
            throw CommandFailure.NotFound($"{kind} {name} does not exist; there is {string.Join(", ", names)}");
        }
    }

    private static CommandFailure NotFound(string kind, string name, IEnumerable<string> known) => CommandFailure.NotFound(
        NearestName.Find(name, known) is { } nearest
            ? $"{kind} {name} does not exist; did you mean {nearest}?"
            : $"{kind} {name} does not exist");
}
