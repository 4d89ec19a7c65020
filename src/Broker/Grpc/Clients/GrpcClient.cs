using System.Collections.Concurrent;
using System.Net;
using GrayMQ.Broker.Grpc.Calls;
using GrayMQ.Broker.Grpc.Receiving;
using GrayMQ.Broker.Grpc.Sending;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Dispatch;
using Microsoft.AspNetCore.Http.Features;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Clients;

/// <summary>
/// A client that has told its settings. To the rest of the broker it is a peer as any other: what it is asked there goes out as a
/// telemetry command, and what it reports comes back as the answer (RocketMQ: GrpcClientChannel).
/// </summary>
internal sealed class GrpcClient(string id, LanguageCode language, IPEndPoint? address, Action<GrpcClient, string> ended) : RemotingPeer
{
    private readonly Lock _changing = new();
    private ConcurrentDictionary<string, TaskCompletionSource<RemotingCommand>>? _questions;
    private string[] _producedTopics = [];
    private TelemetryStream? _telemetry;
    private RenewedReceipts? _renewed;
    private long? _reconnectedTimestamp;
    private long _lastHeardMs;
    private int _ended;

    public string Id { get; } = id;

    public LanguageCode Language { get; } = language;

    /// <summary>As the client told them last; not to be changed.</summary>
    public V2.Settings Settings { get; private set; } = new();

    /// <summary>When that was, milliseconds since 1970: of two clients' subscriptions the newer one counts.</summary>
    public long SettingsToldMs { get; private set; }

    /// <summary>What its names stand in unless they say otherwise.</summary>
    public string Namespace { get; private set; } = "";

    /// <summary>The group that it consumes for; null for a producer.</summary>
    public string? ConsumerGroup { get; private set; }

    /// <summary>When it was heard of last, milliseconds since 1970.</summary>
    public long LastHeardMs
    {
        get => Volatile.Read(ref _lastHeardMs);
        set => Volatile.Write(ref _lastHeardMs, value);
    }

    /// <summary>The topics that it sends to, as far as it said or did; each is a producer group of that name.</summary>
    public IReadOnlyList<string> ProducedTopics => Volatile.Read(ref _producedTopics);

    /// <summary>Messages in its hands that the broker keeps invisible for it; null when there never were any.</summary>
    public RenewedReceipts? Renewed => Volatile.Read(ref _renewed);

    /// <inheritdoc/>
    public override IPEndPoint? RemoteEndPoint { get; } = address;

    /// <inheritdoc/>
    public override IFeatureCollection Features { get; } = new ClientFeatures();

    /// <inheritdoc/>
    public override bool IsClosed => Volatile.Read(ref _ended) != 0;

    /// <inheritdoc/>
    public override int RequestsInFlight => 0;

    /// <summary>Whether it is to be told to reconnect, which it was not within the interval before.</summary>
    public bool MayReconnect(long now, TimeSpan interval, TimeProvider time)
    {
        lock (_changing)
        {
            if (_reconnectedTimestamp is { } before && time.GetElapsedTime(before, now) < interval)
            {
                return false;
            }

            _reconnectedTimestamp = now;
            return true;
        }
    }

    /// <summary>The client as the maker of a call that the broker makes on its behalf.</summary>
    public Caller ToCaller() => new(Id, Namespace, Version: "", Language, RemoteEndPoint, this, this);

    /// <summary>Takes in what the client says of itself.</summary>
    public void Tell(V2.Settings settings, string? consumerGroup, string names, long nowMs)
    {
        lock (_changing)
        {
            // Told again and again as they are: only what has changed is new.
            if (!settings.Equals(Settings))
            {
                SettingsToldMs = nowMs;
            }

            Settings = settings;
            ConsumerGroup = consumerGroup;
            Namespace = names;
        }
    }

    /// <summary>Adds topics that it sends to; false, and none is added, when there would be more than <paramref name="max"/>.</summary>
    /// <param name="added">Whether one of them is new.</param>
    public bool TryProduce(IEnumerable<string> topics, int max, out bool added)
    {
        lock (_changing)
        {
            string[] all = [.. _producedTopics.Union(topics, StringComparer.Ordinal)];
            added = all.Length > _producedTopics.Length;
            if (added && all.Length > max)
            {
                added = false;
                return false;
            }

            Volatile.Write(ref _producedTopics, all);
            return true;
        }
    }

    /// <summary><see cref="Renewed"/>, made when there are none yet.</summary>
    public RenewedReceipts Renew()
    {
        lock (_changing)
        {
            return _renewed ??= new RenewedReceipts();
        }
    }

    /// <summary>From now on the client is asked on this stream.</summary>
    public void Attach(TelemetryStream stream) => Volatile.Write(ref _telemetry, stream);

    /// <summary>The stream has ended; another one may have come in its place before.</summary>
    public void Detach(TelemetryStream stream) => Interlocked.CompareExchange(ref _telemetry, null, stream);

    /// <summary>Sends a command; false when the client has no stream, or leaves too many unread.</summary>
    public bool TrySend(V2.TelemetryCommand command) => Volatile.Read(ref _telemetry)?.TrySend(command) == true;

    /// <summary>Takes the answer to something that the client was asked; one that nobody waits for (any more) is dropped.</summary>
    public void Report(string nonce, RemotingCommand answer)
    {
        if (Volatile.Read(ref _questions)?.TryRemove(nonce, out TaskCompletionSource<RemotingCommand>? question) == true)
        {
            question.TrySetResult(answer);
        }
    }

    /// <inheritdoc/>
    public override async Task<RemotingCommand> InvokeAsync<THeader>(
        RequestCode code,
        THeader header,
        ReadOnlyMemory<byte> body,
        TimeSpan timeout,
        SerializeType type = SerializeType.Json,
        CancellationToken cancel = default)
    {
        string nonce = Guid.NewGuid().ToString("N");
        V2.TelemetryCommand command = Ask(code, nonce, body.Span, Language)
            ?? throw new ConnectionClosedException($"a gRPC client cannot be asked {code}");

        // Most clients are never asked anything.
        ConcurrentDictionary<string, TaskCompletionSource<RemotingCommand>> questions = LazyInitializer.EnsureInitialized(
            ref _questions, static () => new(concurrencyLevel: 1, capacity: 1, StringComparer.Ordinal));
        var question = new TaskCompletionSource<RemotingCommand>(TaskCreationOptions.RunContinuationsAsynchronously);
        questions[nonce] = question;
        try
        {
            return TrySend(command)
                ? await question.Task.WaitAsync(timeout, cancel).ConfigureAwait(false)
                : throw new ConnectionClosedException($"client {Id} has no telemetry stream");
        }
        finally
        {
            questions.TryRemove(nonce, out _);
        }
    }

    /// <inheritdoc/>
    public override bool SendOneWay<THeader>(
        RequestCode code, in THeader header, ReadOnlySpan<byte> body = default, SerializeType type = SerializeType.Json)
    {
        // What else brokers tell unasked (that a group has changed, that an offset was set) these clients find out by asking.
        if (code != RequestCode.CheckTransactionState
            || header is not CheckTransactionStateHeader check
            || !StoredMessage.TryRead(body, out StoredMessage message, out _))
        {
            return false;
        }

        return TrySend(new V2.TelemetryCommand
        {
            Status = Statuses.Ok,
            RecoverOrphanedTransactionCommand = new V2.RecoverOrphanedTransactionCommand
            {
                Message = MessageWriter.ToMessage(in message, Language),
                TransactionId = new TransactionId(check.PhysicalOffset, check.QueueOffset).ToString(),
            },
        });
    }

    /// <inheritdoc/>
    public override void Abort(string reason)
    {
        if (Interlocked.Exchange(ref _ended, 1) == 0)
        {
            ended(this, reason);
            Volatile.Read(ref _telemetry)?.End();
        }
    }

    /// <inheritdoc/>
    protected override bool Answer<THeader, TBody>(
        in Responder request, ResponseCode code, string? remark, in THeader header, in TBody body) => false;

    /// <inheritdoc/>
    protected override void AnsweredTwice(in Responder request)
    {
    }

    private static V2.TelemetryCommand? Ask(RequestCode code, string nonce, ReadOnlySpan<byte> body, LanguageCode language) => code switch
    {
        RequestCode.GetConsumerRunningInfo => new()
        {
            PrintThreadStackTraceCommand = new V2.PrintThreadStackTraceCommand { Nonce = nonce },
        },
        RequestCode.ConsumeMessageDirectly when StoredMessage.TryRead(body, out StoredMessage message, out _) => new()
        {
            VerifyMessageCommand = new V2.VerifyMessageCommand { Nonce = nonce, Message = MessageWriter.ToMessage(in message, language) },
        },
        _ => null,
    };
}
