namespace GrayMQ.Protocol.Messages;

/// <summary>
/// The bits of a message's system flag, as sent in <c>sysFlag</c> and stored in the commit log
/// (RocketMQ: MessageSysFlag). Values reach the disk: they never change.
/// <code>
/// bit  10..8              7..6      5            4           3..2          1          0
///      compression type   (inner)   storeHostV6  bornHostV6  transaction   multiTags  compressed
/// </code>
/// </summary>
public static class MessageSysFlag
{
    public const int Compressed = 1;
    public const int MultiTags = 1 << 1;

    /// <summary>Mask and values of the transaction bits: 0 none, 4 prepared (half), 8 commit, 12 rollback.</summary>
    public const int TransactionMask = 0x3 << 2;
    public const int TransactionNone = 0;
    public const int TransactionPrepared = 0x1 << 2;
    public const int TransactionCommit = 0x2 << 2;
    public const int TransactionRollback = 0x3 << 2;

    public const int BornHostV6 = 1 << 4;
    public const int StoreHostV6 = 1 << 5;

    public const int NeedUnwrap = 1 << 6;
    public const int InnerBatch = 1 << 7;

    /// <summary>Compression type, meaningful with <see cref="Compressed"/>; 0 (older clients) means zlib.</summary>
    public const int CompressionTypeMask = 0x7 << 8;
    public const int CompressionLz4 = 0x1 << 8;
    public const int CompressionZstd = 0x2 << 8;
    public const int CompressionZlib = 0x3 << 8;

    /// <summary>The transaction bits alone.</summary>
    public static int Transaction(int sysFlag) => sysFlag & TransactionMask;

    /// <summary>The flag with its transaction bits replaced by <paramref name="transaction"/>.</summary>
    public static int WithTransaction(int sysFlag, int transaction) => (sysFlag & ~TransactionMask) | transaction;

    public static bool Has(int sysFlag, int bit) => (sysFlag & bit) != 0;
}
