using System.Collections.Concurrent;
using System.Text;
using GrayMQ.Broker.Serving;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Gray;

/// <summary>
/// The gray state as name servers tell it: over a real connection, by the real requests, but decided by the test, which so can hold every
/// state for as long as it looks at it. Completes no change by itself.
/// </summary>
internal sealed class ToldState : IAsyncDisposable
{
    private readonly ConcurrentDictionary<RemotingPeer, bool> _watchers = new();
    private readonly ConcurrentDictionary<string, TopicRouteData> _routes = new(StringComparer.Ordinal);
    private volatile GraySnapshot _snapshot = GraySnapshot.Empty with { Version = new GrayVersion("test", 0) };
    private volatile GrayProgress? _progress;
    private TestServer? _server;

    public string Address => _server!.Address;

    public GraySnapshot Snapshot => _snapshot;

    /// <summary>What the broker reported last.</summary>
    public GrayProgress? Progress => _progress;

    public static async Task<ToldState> StartAsync()
    {
        var state = new ToldState();
        RequestTable table = new RequestTable()
            .On<GetRouteInfoHeader>(RequestCode.GetRouteInfoByTopic, state.RouteAsync)
            .On<GetGrayStateHeader>(RequestCode.GetGrayState, state.GetAsync)
            .On<ReportGrayProgressHeader>(RequestCode.ReportGrayProgress, state.ReportAsync);
        state._server = await TestServer.StartAsync(table);
        return state;
    }

    /// <summary>Tells the next version and waits until the broker acts on it, with all boundaries taken.</summary>
    public async Task TellAsync(Func<GraySnapshot, GraySnapshot> change)
    {
        GraySnapshot next = change(_snapshot);
        next = next with { Version = new GrayVersion(_snapshot.Version.Epoch, _snapshot.Version.Version + 1) };
        _snapshot = next;
        foreach (RemotingPeer watcher in _watchers.Keys)
        {
            watcher.SendOneWay(
                RequestCode.GrayStateChanged, new GrayVersionHeader { Epoch = next.Version.Epoch, Version = next.Version.Version });
        }

        await Eventually.TrueAsync(() => _progress is { } told && told.Version.Includes(next.Version), $"acting on {next.Version}");
    }

    public Task SetTopicAsync(string name, int queues, GrayTopicState state = GrayTopicState.On, int size = 2) => TellAsync(snapshot =>
        snapshot with
        {
            Topics =
            [
                .. snapshot.Topics.Where(topic => topic.Name != name),
                new GrayTopic { Name = name, Queues = queues, Size = size, State = state },
            ],
        });

    /// <summary>Opens a release, or changes the one that is open.</summary>
    public Task SetReleaseAsync(string group, Func<GrayRelease, GrayRelease> change, GrayReleaseKind kind = GrayReleaseKind.Consumer) =>
        TellAsync(snapshot =>
        {
            GrayRelease? last = snapshot.Releases.LastOrDefault(each => each.Group == group && each.Kind == kind);
            GrayRelease release = last is { IsOpen: true }
                ? last
                : new GrayRelease
                {
                    Group = group,
                    Kind = kind,
                    Generation = (last?.Generation ?? 0) + 1,
                    State = GrayReleaseState.Open,
                };
            return snapshot with
            {
                Releases = [.. snapshot.Releases.Where(each => each.Group != group || each.Kind != kind), change(release)],
            };
        });

    /// <summary>Opens a release of which clients with such an id are gray.</summary>
    public Task OpenAsync(string group, string glob = "v2-*", GrayReleaseKind kind = GrayReleaseKind.Consumer) => SetReleaseAsync(
        group, release => release with { Rules = [new GrayRule { Kind = GrayRuleKind.ClientId, Pattern = glob }] }, kind);

    /// <summary>Waits until the broker has done all that it owes the group's release.</summary>
    public Task DoneAsync(string group) => Eventually.TrueAsync(
        () => _progress is { } told
            && told.Version == _snapshot.Version
            && told.Releases.Any(release => release.Group == group && release.IsDone),
        $"the release of {group} is done");

    /// <summary>Promotes by joining, and closes the release once the broker is done.</summary>
    public async Task PromoteAsync(string group, GrayPromotion promotion = GrayPromotion.Join)
    {
        await SetReleaseAsync(group, release => release with { State = GrayReleaseState.Promoting, Promotion = promotion });
        await DoneAsync(group);
        await SetReleaseAsync(group, release => release with { State = GrayReleaseState.Promoted });
    }

    public async Task WithdrawAsync(string group, GrayLeftover leftover)
    {
        await SetReleaseAsync(group, release => release with { State = GrayReleaseState.Withdrawing, Leftover = leftover });
        await DoneAsync(group);
        await SetReleaseAsync(group, release => release with { State = GrayReleaseState.Withdrawn });
    }

    public ValueTask DisposeAsync() => _server!.DisposeAsync();

    /// <summary>Lets clients find a topic at the broker.</summary>
    public void AddRoute(string topic, int queues, string address) => _routes[topic] = new TopicRouteData
    {
        BrokerDatas =
        [
            new BrokerData
            {
                Cluster = RunningBroker.Cluster,
                BrokerName = RunningBroker.Name,
                BrokerAddrs = new() { [BrokerData.MasterId] = address },
            },
        ],
        QueueDatas =
        [
            new QueueData
            {
                BrokerName = RunningBroker.Name,
                Perm = TopicPermission.ReadWrite,
                ReadQueueNums = queues,
                WriteQueueNums = queues,
            },
        ],
    };

    private ValueTask RouteAsync(RemotingRequest request, GetRouteInfoHeader header)
    {
        if (_routes.TryGetValue(Encoding.UTF8.GetString(header.TopicUtf8.Span), out TopicRouteData? route))
        {
            request.Reply(BodyCodec.Encode(route));
        }
        else
        {
            request.Reply(ResponseCode.TopicNotExist, "no route");
        }

        return ValueTask.CompletedTask;
    }

    private ValueTask GetAsync(RemotingRequest request, GetGrayStateHeader header)
    {
        if (header.Watch)
        {
            _watchers[request.Connection] = true;
        }

        GraySnapshot snapshot = _snapshot;
        bool unchanged = header.Epoch == snapshot.Version.Epoch && header.Version == snapshot.Version.Version;
        var answer = new GetGrayStateResponseHeader
        {
            Answer = unchanged ? GrayStateAnswer.Unchanged : GrayStateAnswer.Snapshot,
            Epoch = snapshot.Version.Epoch,
            Version = snapshot.Version.Version,
        };
        if (unchanged)
        {
            request.Reply(answer);
        }
        else
        {
            request.Responder.Reply(ResponseCode.Success, null, answer, new MemoryBody(GrayJson.Encode(snapshot)));
        }

        return ValueTask.CompletedTask;
    }

    private ValueTask ReportAsync(RemotingRequest request, ReportGrayProgressHeader header)
    {
        _progress = GrayJson.DecodeProgress(request.Body);
        GrayVersion version = _snapshot.Version;
        request.Reply(new GrayVersionHeader { Epoch = version.Epoch, Version = version.Version });
        return ValueTask.CompletedTask;
    }
}
