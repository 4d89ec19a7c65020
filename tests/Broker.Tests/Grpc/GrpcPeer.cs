using System.Globalization;
using System.Net;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using GrayMQ.Grpc.Framing;
using GrayMQ.Testing;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc;

/// <summary>A client of the messaging service with an id of its own, on a connection of its own: what client libraries say, call by call.</summary>
internal sealed class GrpcPeer : IAsyncDisposable
{
    private const string Service = "/apache.rocketmq.v2.MessagingService/";

    private readonly RawGrpcClient _client;
    private readonly string _namespace;
    private readonly List<(OpenContent Content, HttpResponseMessage Response)> _streams = [];
    private V2.Settings _settings = new();
    private Stream? _commands;

    /// <param name="before">What its connection begins with, before TLS, as from a proxy.</param>
    public GrpcPeer(string port, string id, string names = "", bool tls = false, byte[]? before = null)
    {
        Id = id;
        _namespace = names;
        _client = new RawGrpcClient(new IPEndPoint(IPAddress.Loopback, int.Parse(port, CultureInfo.InvariantCulture)), tls, before);
    }

    public string Id { get; }

    /// <summary>How often the client tries to send a message, as it tells when it begins to produce; null when it does not.</summary>
    public int? MaxAttempts { get; init; } = 1;

    /// <summary>Opens a telemetry stream as a producer of the topics.</summary>
    public Task<V2.Settings> ProduceAsync(params string[] topics)
    {
        _settings = new V2.Settings
        {
            ClientType = V2.ClientType.Producer,
            Publishing = new V2.Publishing(),
            BackoffPolicy = MaxAttempts is { } attempts ? new V2.RetryPolicy { MaxAttempts = attempts } : null,
        };
        _settings.Publishing.Topics.AddRange(topics.Select(topic => new V2.Resource { Name = topic }));
        return TellAsync();
    }

    /// <summary>Opens a telemetry stream as a consumer of a group.</summary>
    public Task<V2.Settings> ConsumeAsync(
        string group, V2.ClientType type, params (string Topic, string Expression)[] subscriptions)
    {
        _settings = new V2.Settings
        {
            ClientType = type,
            Subscription = new V2.Subscription { Group = new V2.Resource { Name = group } },
        };
        _settings.Subscription.Subscriptions.AddRange(subscriptions.Select(each => new V2.SubscriptionEntry
        {
            Topic = new V2.Resource { Name = each.Topic },
            Expression = Tags(each.Expression),
        }));
        return TellAsync();
    }

    /// <summary>Opens a telemetry stream, tells the settings of the one before, and returns what the broker makes of them.</summary>
    public async Task<V2.Settings> TellAsync()
    {
        var content = new OpenContent();
        await content.WriteAsync(RawGrpcClient.Frame(new V2.TelemetryCommand { Settings = _settings }));
        await OpenStreamAsync(content);
        return (await NextCommandAsync()).Settings;
    }

    /// <summary>Opens a telemetry stream and tells nothing; completes when the broker has something to say.</summary>
    public Task KeepSilentAsync() => OpenStreamAsync(new OpenContent());

    /// <summary>The next command on the stream that was opened last.</summary>
    public async Task<V2.TelemetryCommand> NextCommandAsync()
    {
        using var limit = new CancellationTokenSource(RawGrpcClient.Deadline);
        byte[] prefix = new byte[MessagePrefix.Bytes];
        await _commands!.ReadExactlyAsync(prefix, limit.Token);
        Assert.True(MessagePrefix.TryRead(new(prefix), int.MaxValue, out MessagePrefix read));
        byte[] command = new byte[read.Length];
        await _commands.ReadExactlyAsync(command, limit.Token);
        return V2.TelemetryCommand.Parser.ParseFrom(command);
    }

    /// <summary>Says something on the stream that was opened last.</summary>
    public ValueTask ReportAsync(V2.TelemetryCommand command) => _streams[^1].Content.WriteAsync(RawGrpcClient.Frame(command));

    /// <summary>Tells the settings once more on the stream that is open; the answer is the next command.</summary>
    public ValueTask TellAgainAsync() => ReportAsync(new V2.TelemetryCommand { Settings = _settings });

    /// <summary>Waits until the broker has ended the stream that was opened last.</summary>
    /// <returns>Its grpc-status.</returns>
    public async Task<string> EndOfStreamAsync()
    {
        using var limit = new CancellationTokenSource(RawGrpcClient.Deadline);
        Assert.Equal(0, await _commands!.ReadAsync(new byte[1], limit.Token));
        return _streams[^1].Response.TrailingHeaders.GetValues("grpc-status").Single();
    }

    public async Task<T> CallAsync<T>(string method, IMessage request, MessageParser<T> parser)
        where T : IMessage<T>
    {
        RawGrpcClient.Answer answer = await _client.CallAsync(Service + method, request, Headers());
        Assert.True(answer.Status == GrpcStatusCode.Ok, $"{method}: {answer.Status} {answer.Message}");
        return answer.Only(parser);
    }

    public async Task<V2.SendResultEntry> SendAsync(string topic, string body, string? tag = null, params (string Name, string Value)[] properties)
    {
        V2.Message message = MessageOf(topic, body);
        if (tag is not null)
        {
            message.SystemProperties.Tag = tag;
        }

        foreach ((string name, string value) in properties)
        {
            message.UserProperties[name] = value;
        }

        V2.SendMessageResponse response = await TrySendAsync(message);
        Assert.True(response.Status.Code == V2.Code.Ok, response.Status.ToString());
        return Assert.Single(response.Entries);
    }

    /// <summary>Sends once, and returns whatever is answered.</summary>
    public Task<V2.SendMessageResponse> TrySendAsync(V2.Message message) => CallAsync(
        "SendMessage", new V2.SendMessageRequest { Messages = { message } }, V2.SendMessageResponse.Parser);

    /// <summary>Receives once. The status is that of the answer, or null where the call ended before there was one.</summary>
    public async Task<(V2.Code? Status, IReadOnlyList<V2.Message> Messages)> ReceiveAsync(
        string group,
        string topic,
        string expression = "*",
        int max = 32,
        int pollSeconds = 5,
        TimeSpan? invisible = null,
        CancellationToken cancel = default)
    {
        using HttpResponseMessage response = await OpenReceiveAsync(group, topic, invisible, expression, max, pollSeconds, cancel);
        byte[] bytes = await response.Content.ReadAsByteArrayAsync(cancel);
        RawGrpcClient.Answer answer = RawGrpcClient.Answer.Of(response, bytes);
        Assert.True(answer.Status == GrpcStatusCode.Ok, $"{answer.Status} {answer.Message}");
        V2.ReceiveMessageResponse[] parts = [.. answer.Messages.Select(part => V2.ReceiveMessageResponse.Parser.ParseFrom(part.Bytes))];
        return (
            parts.FirstOrDefault(part => part.Status is not null)?.Status.Code,
            [.. parts.Where(part => part.Message is not null).Select(part => part.Message)]);
    }

    /// <summary>Receives once, and leaves the answer unread.</summary>
    /// <param name="invisible">Null has the broker renew it.</param>
    public Task<HttpResponseMessage> OpenReceiveAsync(
        string group,
        string topic,
        TimeSpan? invisible,
        string expression = "*",
        int max = 32,
        int pollSeconds = 5,
        CancellationToken cancel = default)
    {
        var request = new V2.ReceiveMessageRequest
        {
            Group = new V2.Resource { Name = group },
            MessageQueue = new V2.MessageQueue { Topic = new V2.Resource { Name = topic } },
            FilterExpression = Tags(expression),
            BatchSize = max,
            LongPollingTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(pollSeconds)),
            AutoRenew = invisible is null,
        };
        if (invisible is { } time)
        {
            request.InvisibleDuration = Duration.FromTimeSpan(time);
        }

        return _client.OpenAsync(Service + "ReceiveMessage", new ByteArrayContent(RawGrpcClient.Frame(request)), Headers(), cancel);
    }

    /// <summary>Pulls once, from the beginning of a queue.</summary>
    public async Task<(V2.Code Status, IReadOnlyList<V2.Message> Messages)> PullAsync(
        string group, string topic, int queueId = 0, int pollSeconds = 0)
    {
        var request = new V2.PullMessageRequest
        {
            Group = new V2.Resource { Name = group },
            MessageQueue = new V2.MessageQueue { Topic = new V2.Resource { Name = topic }, Id = queueId },
            BatchSize = 32,
            LongPollingTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(pollSeconds)),
        };
        RawGrpcClient.Answer answer = await _client.CallAsync(Service + "PullMessage", request, Headers());
        Assert.True(answer.Status == GrpcStatusCode.Ok, $"{answer.Status} {answer.Message}");
        V2.PullMessageResponse[] parts = [.. answer.Messages.Select(part => V2.PullMessageResponse.Parser.ParseFrom(part.Bytes))];
        return (parts[0].Status.Code, [.. parts.Where(part => part.Message is not null).Select(part => part.Message)]);
    }

    public async Task<V2.AckMessageResponse> AckAsync(string group, string topic, params IReadOnlyList<V2.Message> messages)
    {
        var request = new V2.AckMessageRequest { Group = new V2.Resource { Name = group }, Topic = new V2.Resource { Name = topic } };
        request.Entries.AddRange(messages.Select(message => new V2.AckMessageEntry
        {
            MessageId = message.SystemProperties.MessageId,
            ReceiptHandle = message.SystemProperties.ReceiptHandle,
        }));
        return await CallAsync("AckMessage", request, V2.AckMessageResponse.Parser);
    }

    public Task<V2.ChangeInvisibleDurationResponse> ChangeAsync(string group, string topic, V2.Message message, TimeSpan invisible) => CallAsync(
        "ChangeInvisibleDuration",
        new V2.ChangeInvisibleDurationRequest
        {
            Group = new V2.Resource { Name = group },
            Topic = new V2.Resource { Name = topic },
            MessageId = message.SystemProperties.MessageId,
            ReceiptHandle = message.SystemProperties.ReceiptHandle,
            InvisibleDuration = Duration.FromTimeSpan(invisible),
        },
        V2.ChangeInvisibleDurationResponse.Parser);

    /// <summary>Says that the client is there; it answers behind all that was asked before on the connection.</summary>
    /// <param name="group">That it consumes for; empty for a producer.</param>
    public Task<V2.HeartbeatResponse> HeartbeatAsync(string group = "") => CallAsync(
        "Heartbeat", new V2.HeartbeatRequest { Group = new V2.Resource { Name = group } }, V2.HeartbeatResponse.Parser);

    /// <summary>Says that the client ends.</summary>
    public Task<V2.NotifyClientTerminationResponse> TerminateAsync() =>
        CallAsync("NotifyClientTermination", new V2.NotifyClientTerminationRequest(), V2.NotifyClientTerminationResponse.Parser);

    /// <summary>Ends the client's side of its streams, as libraries do.</summary>
    public void EndStreams() => _streams.ForEach(stream => stream.Content.End());

    public ValueTask DisposeAsync()
    {
        EndStreams();
        _streams.ForEach(stream => stream.Response.Dispose());
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    public static V2.Message MessageOf(string topic, string body) => new()
    {
        Topic = new V2.Resource { Name = topic },
        Body = ByteString.CopyFromUtf8(body),
        SystemProperties = new V2.SystemProperties { MessageId = Guid.NewGuid().ToString("N"), MessageType = V2.MessageType.Normal },
    };

    public (string Name, string Value)[] Headers() =>
        [("x-mq-client-id", Id), ("x-mq-language", "DOTNET"), .. _namespace.Length == 0 ? [] : new[] { ("x-mq-namespace", _namespace) }];

    private async Task OpenStreamAsync(OpenContent content)
    {
        HttpResponseMessage response = await _client.OpenAsync(Service + "Telemetry", content, Headers());
        _streams.Add((content, response));
        _commands = await response.Content.ReadAsStreamAsync();
    }

    private static V2.FilterExpression Tags(string expression) => new() { Type = V2.FilterType.Tag, Expression = expression };
}
