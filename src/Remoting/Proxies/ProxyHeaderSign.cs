namespace GrayMQ.Remoting.Proxies;

/// <summary>What the first bytes of a connection say.</summary>
public enum ProxyHeaderSign
{
    /// <summary>They are the beginning of something else.</summary>
    None,

    /// <summary>There are too few of them to tell.</summary>
    Undecided,

    /// <summary>A header in words: <c>PROXY TCP4 …</c></summary>
    Version1,

    /// <summary>A header in bytes.</summary>
    Version2,
}
