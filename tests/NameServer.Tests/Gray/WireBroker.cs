using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Remoting.Servers;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace GrayMQ.NameServer.Tests.Gray;

/// <summary>
/// A broker as name servers see it: it registers, answers what they ask about groups, asks for the gray state and reports progress, over
/// real connections. What it has to say is put into its properties.
/// </summary>
internal sealed class WireBroker : IAsyncDisposable
{
    private readonly RemotingServer _server;
    private readonly RemotingClient _client = TestNameServer.NewClient();

    private WireBroker(string name)
    {
        Name = name;
        RequestTable requests = new RequestTable()
            .On<GetConsumerConnectionListHeader>(RequestCode.GetConsumerConnectionList, (request, header) => Reply(
                request,
                Clients.TryGetValue(header.ConsumerGroup, out string[]? clients) && clients.Length > 0
                    ? BodyCodec.Encode(new ConsumerConnection { ConnectionSet = [.. clients.Select(id => new Connection { ClientId = id })] })
                    : null))
            .On<GetProducerConnectionListHeader>(RequestCode.GetProducerConnectionList, (request, header) => Reply(
                request,
                Producers.TryGetValue(header.ProducerGroup, out string[]? clients)
                    ? BodyCodec.Encode(new ProducerConnection { ConnectionSet = [.. clients.Select(id => new Connection { ClientId = id })] })
                    : null))
            .On<GetBrokerGrayStatusHeader>(RequestCode.GetBrokerGrayStatus, (request, header) => Reply(
                request,
                BodyCodec.Encode(Status with { KnowsGroup = header.Group is { } group ? Clients.ContainsKey(group) : null })));
        _server = new RemotingServer(
            new RemotingServerOptions { EndPoints = [new IPEndPoint(IPAddress.Loopback, 0)] },
            requests,
            new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance),
            TimeProvider.System,
            NullLoggerFactory.Instance);
    }

    public string Name { get; }

    /// <summary>Consumers that are connected, by group; a group with none exists all the same.</summary>
    public ConcurrentDictionary<string, string[]> Clients { get; } = new();

    public ConcurrentDictionary<string, string[]> Producers { get; } = new();

    public BrokerGrayStatus Status { get; } = new();

    public static async Task<WireBroker> StartAsync(string name)
    {
        var broker = new WireBroker(name);
        await broker._server.StartAsync(CancellationToken.None);
        return broker;
    }

    public void SetSides(string group, params (string Client, bool Gray, string Expression)[] clients)
    {
        Clients[group] = [.. clients.Select(client => client.Client)];
        Status.Clients = [.. clients.Select(client => new GrayClientStatus { Group = group, ClientId = client.Client, Gray = client.Gray })];
        Status.Subscriptions =
        [
            .. clients.Select(client => new GraySubscriptionStatus
            {
                Group = group, Gray = client.Gray, Topic = "T", ExpressionType = "TAG", Expression = client.Expression,
            }),
        ];
    }

    /// <summary>Registers topics, which are to be at least two, with as many queues each.</summary>
    public async Task RegisterAsync(TestNameServer server, int queues, params string[] topics)
    {
        TopicConfigAndMappingSerializeWrapper table = TestNameServer.Topics(topics);
        foreach (TopicConfig topic in table.TopicConfigTable.Values)
        {
            topic.ReadQueueNums = queues;
            topic.WriteQueueNums = queues;
        }

        await server.RegisterSuccessfullyAsync(
            Name,
            table,
            TestNameServer.Header(Name) with
            {
                BrokerAddress = "127.0.0.1:" + _server.EndPoints[0].Port.ToString(CultureInfo.InvariantCulture),
            },
            client: _client);
    }

    public async Task<RemotingCommand> AskAsync(TestNameServer server) => await server.AskSuccessfullyAsync(
        RequestCode.GetGrayState, new GetGrayStateHeader { BrokerName = Name }, client: _client);

    /// <summary>Reports that it acts on the newest state, and what it has done of the releases.</summary>
    public async Task<RemotingCommand> ReportAsync(TestNameServer server, bool done = true, GrayVersion? version = null)
    {
        GraySnapshot snapshot = await server.SnapshotAsync() ?? GraySnapshot.Empty;
        var progress = new GrayProgress
        {
            Broker = Name,
            Version = version ?? snapshot.Version,
            Releases =
            [
                .. snapshot.Releases.Where(release => release.IsOpen).Select(release => new GrayReleaseProgress
                {
                    Group = release.Group,
                    Kind = release.Kind,
                    Generation = release.Generation,
                    State = release.State,
                    Since = release.Since,
                    IsDone = done,
                }),
            ],
            Topics =
            [
                .. snapshot.Topics.Where(topic => topic.State != GrayTopicState.On).Select(topic => new GrayTopicProgress
                {
                    Topic = topic.Name,
                    Since = topic.Since,
                    IsDone = done,
                    Reason = done ? null : "2 queues are handed over still",
                }),
            ],
        };
        return await server.AskAsync(
            RequestCode.ReportGrayProgress, new ReportGrayProgressHeader { BrokerName = Name }, GrayJson.Encode(progress), _client);
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
    }

    private static ValueTask Reply(RemotingRequest request, byte[]? body)
    {
        if (body is null)
        {
            request.Reply(ResponseCode.SystemError, "there is none");
        }
        else
        {
            request.Reply(body);
        }

        return ValueTask.CompletedTask;
    }
}

/// <summary>The gray requests of a name server under test.</summary>
internal static class GrayRequests
{
    public static Task<RemotingCommand> ChangeAsync(
        this TestNameServer server, GrayCommand command, ChangeGrayStateHeader? header = null) => server.AskAsync(
        RequestCode.ChangeGrayState, header ?? new ChangeGrayStateHeader { Operator = "ann@host" }, BodyCodec.Encode(command));

    public static async Task<string> ChangeSuccessfullyAsync(this TestNameServer server, GrayCommand command)
    {
        RemotingCommand answer = await server.ChangeAsync(command);
        Assert.True(answer.ResponseCode == ResponseCode.Success, $"{command.Action}: {answer.ResponseCode} {answer.Remark}");
        return answer.Remark ?? "";
    }

    /// <summary>The command must be refused, with a remark that holds a text.</summary>
    public static async Task RefusesAsync(
        this TestNameServer server, GrayCommand command, string because, ResponseCode code = ResponseCode.GrayRefused)
    {
        RemotingCommand answer = await server.ChangeAsync(command);
        Assert.Equal(code, answer.ResponseCode);
        Assert.Contains(because, answer.Remark, StringComparison.Ordinal);
    }

    /// <summary>The state as the server gives it out; null when it knows none.</summary>
    public static async Task<GraySnapshot?> SnapshotAsync(this TestNameServer server)
    {
        RemotingCommand answer = await server.AskSuccessfullyAsync(RequestCode.GetGrayState, new GetGrayStateHeader());
        return GetGrayStateResponseHeader.Read(answer.Fields).Answer == GrayStateAnswer.Unknown ? null : GrayJson.DecodeSnapshot(answer.Body);
    }

    public static async Task<GrayStatus> StatusAsync(this TestNameServer server) => BodyCodec.Decode<GrayStatus>(
        (await server.AskSuccessfullyAsync(RequestCode.GetGrayStatus, default(NoHeader))).Body);

    public static async Task<List<GrayHistoryEntry>> HistoryAsync(this TestNameServer server, string? subject = null) =>
        BodyCodec.Decode<GrayHistory>((await server.AskSuccessfullyAsync(
            RequestCode.GetGrayHistory, new GetGrayHistoryHeader { Subject = subject, MaxCount = 100 })).Body).Entries;
}
