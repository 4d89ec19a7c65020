using GrayMQ.Broker.Configuration;

namespace GrayMQ.Broker.Transactions;

/// <summary>How transactions are treated; the names in brackets are RocketMQ's.</summary>
internal sealed record TransactionOptions
{
    /// <summary>Named to producers that are refused (brokerIP1).</summary>
    public required string BrokerAddress { get; init; }

    /// <summary>Named to producers that are asked.</summary>
    public required string BrokerName { get; init; }

    /// <summary>Whether half messages are refused (rejectTransactionMessage).</summary>
    public required LiveSetting<bool> IsRefused { get; init; }

    /// <summary>How long a producer is left alone before it is asked for the first time (transactionTimeOut).</summary>
    public required LiveSetting<int> TimeoutMs { get; init; }

    /// <summary>Time between two checks of one transaction (transactionCheckInterval).</summary>
    public required LiveSetting<int> CheckIntervalMs { get; init; }

    /// <summary>After so many checks the message is discarded (transactionCheckMax).</summary>
    public required LiveSetting<int> MaxChecks { get; init; }

    /// <summary>So many bytes of ended transactions' offsets are written at once (transactionOpMsgMaxSize).</summary>
    public required LiveSetting<int> MaxOperationBytes { get; init; }

    /// <summary>How long they wait for more at most (transactionOpBatchInterval).</summary>
    public required LiveSetting<int> OperationIntervalMs { get; init; }

    /// <summary>After this time a message is discarded, checked or not: its file may go (fileReservedTime).</summary>
    public required long ReservedMs { get; init; }

    /// <summary>Largest body, for remarks (maxMessageSize).</summary>
    public required int MaxMessageBytes { get; init; }
}
