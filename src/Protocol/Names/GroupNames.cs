namespace GrayMQ.Protocol.Names;

/// <summary>Group names that mean something, and what a group may be called (RocketMQ: Validators, MixAll).</summary>
public static class GroupNames
{
    /// <summary>Most characters of a group's name.</summary>
    public const int MaxLength = 255;

    /// <summary>Begins names of groups that belong to the broker itself.</summary>
    public const string SystemPrefix = "CID_RMQ_SYS_";

    public const string Tools = "TOOLS_CONSUMER";
    public const string FilterServer = "FILTERSRV_CONSUMER";
    public const string SelfTest = "SELF_TEST_C_GROUP";
    public const string HttpProxy = "CID_ONS-HTTP-PROXY";
    public const string OnsPull = "CID_ONSAPI_PULL";
    public const string OnsPermission = "CID_ONSAPI_PERMISSION";
    public const string OnsOwner = "CID_ONSAPI_OWNER";
    public const string Transaction = "CID_RMQ_SYS_TRANS";

    /// <summary>What is wrong with the name, in words for the client; null when nothing is.</summary>
    public static string? Problem(ReadOnlySpan<char> name) =>
        name.IsWhiteSpace() ? Blank
        : !NameCharacters.AreLegal(name) ? Illegal
        : name.Length > MaxLength ? TooLong
        : null;

    /// <inheritdoc cref="Problem(ReadOnlySpan{char})"/>
    public static string? Problem(ReadOnlySpan<byte> utf8Name) =>
        utf8Name.Trim(" \t\r\n"u8).IsEmpty ? Blank
        : !NameCharacters.AreLegal(utf8Name) ? Illegal
        : utf8Name.Length > MaxLength ? TooLong
        : null;

    private const string Blank = "the specified group is blank";
    private const string Illegal = "the specified group contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$";
    private static readonly string TooLong = $"the specified group is longer than group max length {MaxLength}";
}
