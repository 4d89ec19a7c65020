using System.Buffers;
using System.Text;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Producers.Transactions;

/// <summary>Answers brokers that ask how transactions ended (RocketMQ: DefaultMQProducerImpl.checkTransactionState).</summary>
internal sealed class TransactionChecks : IDisposable
{
    // RocketMQ: TransactionMQProducer.checkRequestHoldMax. What is beyond is asked for again anyway.
    private const int MaxWaiting = 2000;
    private const int MaxConcurrent = 4;

    private readonly ITransactionChecker _checker;
    private readonly byte[] _groupUtf8;
    private readonly TimeSpan _timeout;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _slots = new(MaxConcurrent);
    private readonly CancellationTokenSource _stopping = new();
    private int _waiting;

    public TransactionChecks(ITransactionChecker checker, string group, TimeSpan timeout, ILogger logger)
    {
        _checker = checker;
        _groupUtf8 = Encoding.UTF8.GetBytes(group);
        _timeout = timeout;
        _logger = logger;
    }

    public RequestTable AddTo(RequestTable requests) =>
        requests.OnPool<CheckTransactionStateHeader>(RequestCode.CheckTransactionState, HandleAsync);

    /// <summary>Answers no further checks, and cancels those under way.</summary>
    public void Dispose() => _stopping.Cancel();

    private async ValueTask HandleAsync(RemotingRequest request, CheckTransactionStateHeader check)
    {
        if (Interlocked.Increment(ref _waiting) > MaxWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            Log.TransactionCheckDropped(_logger, MaxWaiting);
            return;
        }

        try
        {
            await _slots.WaitAsync(_stopping.Token).ConfigureAwait(false);
            try
            {
                await CheckAsync(request, check).ConfigureAwait(false);
            }
            finally
            {
                _slots.Release();
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The producer closes; another one will be asked.
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private async Task CheckAsync(RemotingRequest request, CheckTransactionStateHeader check)
    {
        if (MessageDecoder.DecodeAll(request.Body.ToArray()) is not [var message])
        {
            throw new InvalidDataException("a check of a transaction does not hold one message");
        }

        string id = message.Properties.GetValueOrDefault(MessageProperty.UniqueKey) ?? check.MessageId ?? "";
        TransactionOutcome outcome = TransactionOutcome.Unknown;
        try
        {
            outcome = await _checker
                .CheckAsync(message with { BrokerName = check.BrokerName }, _stopping.Token)
                .ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException || !_stopping.IsCancellationRequested)
        {
            Log.TransactionCheckFailed(_logger, e, id);
        }

        EndTransactionHeader end = TransactionEnd.Header(_groupUtf8, outcome, id) with
        {
            Topic = Utf8(check.Topic),
            QueueOffset = check.QueueOffset,
            PhysicalOffset = check.PhysicalOffset,
            FromCheck = true,
            TransactionId = Utf8(check.TransactionId),
            BrokerName = Utf8(check.BrokerName),
        };
        if (outcome == TransactionOutcome.Unknown)
        {
            // Brokers do not answer this one.
            request.Connection.SendOneWay(RequestCode.EndTransaction, in end);
            return;
        }

        string address = request.Connection.RemoteEndPoint?.ToString() ?? "";
        try
        {
            RemotingCommand response = await request.Connection
                .InvokeAsync(RequestCode.EndTransaction, end, default, _timeout, cancel: _stopping.Token)
                .ConfigureAwait(false);
            if (response.ResponseCode != ResponseCode.Success)
            {
                Log.EndTransactionFailed(_logger, outcome, id, address, response.Remark ?? response.ResponseCode.ToString());
            }
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            Log.EndTransactionFailed(_logger, outcome, id, address, e.Message);
        }
    }

    private static byte[] Utf8(string? text) => Encoding.UTF8.GetBytes(text ?? "");
}
