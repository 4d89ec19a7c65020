using System.Net;
using GrayMQ.Broker.Configuration;
using GrayMQ.Settings;
using GrayMQ.Store;

namespace GrayMQ.Broker.Transactions;

/// <summary>The settings of transactions, under their RocketMQ names.</summary>
internal static class TransactionSettings
{
    private const int MaxTimeMs = 24 * 3600 * 1000;
    private const int MaxOperationBytesLimit = 1 << 20;

    private static readonly SettingDefinition<bool> RejectTransactionMessage =
        Setting.Boolean("rejectTransactionMessage", false, "Transactional messages are refused") with
        {
            ChangeableWhileRunning = true,
        };

    private static readonly SettingDefinition<int> TransactionTimeOut =
        Setting.Int32("transactionTimeOut", 6000, "A transaction that has not ended after this time is checked", 0, MaxTimeMs) with
        {
            Unit = "ms",
            ChangeableWhileRunning = true,
        };

    private static readonly SettingDefinition<int> TransactionCheckMax =
        Setting.Int32("transactionCheckMax", 15, "After so many checks a transaction is given up and its message put aside", 0) with
        {
            ChangeableWhileRunning = true,
        };

    private static readonly SettingDefinition<int> TransactionCheckInterval =
        Setting.Int32("transactionCheckInterval", 30_000, "Time between two checks of a transaction", 100, MaxTimeMs) with
        {
            Unit = "ms",
            ChangeableWhileRunning = true,
        };

    private static readonly SettingDefinition<int> TransactionOpMsgMaxSize =
        Setting.Int32(
            "transactionOpMsgMaxSize", 4096, "Size of a record that says which transactions have ended", 32, MaxOperationBytesLimit) with
        {
            Unit = "bytes",
            ChangeableWhileRunning = true,
        };

    private static readonly SettingDefinition<int> TransactionOpBatchInterval =
        Setting.Int32("transactionOpBatchInterval", 3000, "How often such records are written", 100, MaxTimeMs) with
        {
            Unit = "ms",
            ChangeableWhileRunning = true,
        };

    public static IReadOnlyList<SettingDefinition> All { get; } =
    [
        RejectTransactionMessage, TransactionTimeOut, TransactionCheckMax, TransactionCheckInterval, TransactionOpMsgMaxSize,
        TransactionOpBatchInterval,
    ];

    public static TransactionOptions ToOptions(EffectiveSettings settings, RunningSettings running, IPEndPoint address)
    {
        StoreOptions store = StoreSettings.ToOptions(settings);
        return new TransactionOptions
        {
            BrokerAddress = address.Address.ToString(),
            BrokerName = settings.Get(BrokerSettings.BrokerName),
            IsRefused = running.Follow(RejectTransactionMessage),
            TimeoutMs = running.Follow(TransactionTimeOut),
            CheckIntervalMs = running.Follow(TransactionCheckInterval),
            MaxChecks = running.Follow(TransactionCheckMax),
            MaxOperationBytes = running.Follow(TransactionOpMsgMaxSize),
            OperationIntervalMs = running.Follow(TransactionOpBatchInterval),
            ReservedMs = (long)TimeSpan.FromHours(store.FileReservedHours).TotalMilliseconds,
            MaxMessageBytes = store.MaxMessageBytes,
        };
    }
}
