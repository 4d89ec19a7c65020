using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Client.Tests.Servers;

/// <summary>
/// A broker that takes messages into nothing and remembers what it was asked. A test can have it answer any request otherwise.
/// </summary>
internal sealed class ScriptedBroker : IAsyncDisposable
{
    private readonly ConcurrentDictionary<RequestCode, Func<RemotingRequest, ValueTask<bool>>> _scripts = new();
    private TestServer _server = null!;
    private long _offset;

    private ScriptedBroker(string name) => Name = name;

    public string Name { get; }

    public string Address => _server.Address;

    public int Port => _server.Port;

    public ConcurrentQueue<SentMessage> Sent { get; } = new();

    public ConcurrentQueue<HeartbeatData> Heartbeats { get; } = new();

    public ConcurrentQueue<UnregisterClientHeader> Unregistered { get; } = new();

    public static async Task<ScriptedBroker> StartAsync(string name, int port = 0, Action<ScriptedBroker, RequestTable>? more = null)
    {
        var broker = new ScriptedBroker(name);
        var requests = new RequestTable();
        requests.On(RequestCode.SendMessageV2, SendMessageHeader.ReadV2, broker.HandleSendAsync);
        requests.On(RequestCode.SendBatchMessage, SendMessageHeader.ReadV2, broker.HandleSendAsync);
        requests.On<NoHeader>(RequestCode.Heartbeat, broker.HandleHeartbeatAsync);
        requests.On<UnregisterClientHeader>(RequestCode.UnregisterClient, broker.HandleUnregisterAsync);
        more?.Invoke(broker, requests);
        broker._server = await TestServer.StartAsync(requests, port);
        return broker;
    }

    /// <summary>Answers a request by a script; where that returns false, as ever.</summary>
    public void Script(RequestCode code, Func<RemotingRequest, ValueTask<bool>> script) => _scripts[code] = script;

    /// <summary>Refuses a request, the first <paramref name="times"/> times.</summary>
    public void Refuse(RequestCode code, ResponseCode with, int times = int.MaxValue)
    {
        int left = times;
        Script(code, request =>
        {
            if (Interlocked.Decrement(ref left) < 0)
            {
                return new(false);
            }

            request.Reply(with, "scripted");
            return new(true);
        });
    }

    public ValueTask<bool> RunScriptAsync(RemotingRequest request) =>
        _scripts.TryGetValue(request.Code, out Func<RemotingRequest, ValueTask<bool>>? script) ? script(request) : new(false);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async ValueTask HandleSendAsync(RemotingRequest request, SendMessageHeader header)
    {
        Sent.Enqueue(new SentMessage(
            request.Code,
            Text(header.ProducerGroup),
            Text(header.Topic),
            Text(header.DefaultTopic),
            header.QueueId,
            header.SysFlag,
            header.Flag,
            header.Batch,
            request.IsOneWay,
            MessagePropertiesCodec.ToDictionary(header.Properties.Span),
            request.Body.ToArray()));
        int queueId = header.QueueId;
        if (await RunScriptAsync(request))
        {
            return;
        }

        request.Reply(new SendMessageResponseHeader
        {
            MessageId = "7F00000100002A9F0000000000000000",
            QueueId = queueId,
            QueueOffset = Interlocked.Increment(ref _offset) - 1,
        });
    }

    private async ValueTask HandleHeartbeatAsync(RemotingRequest request, NoHeader header)
    {
        Heartbeats.Enqueue(BodyCodec.Decode<HeartbeatData>(request.Body));
        if (!await RunScriptAsync(request))
        {
            request.Reply(ResponseCode.Success);
        }
    }

    private async ValueTask HandleUnregisterAsync(RemotingRequest request, UnregisterClientHeader header)
    {
        Unregistered.Enqueue(header);
        if (!await RunScriptAsync(request))
        {
            request.Reply(ResponseCode.Success);
        }
    }

    private static string Text(ReadOnlyMemory<byte> utf8) => Encoding.UTF8.GetString(utf8.Span);
}
