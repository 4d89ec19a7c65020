using GrayMQ.Gray;

namespace GrayMQ.Client.Gray;

/// <summary>Whether this client takes part in gray releases, and on which side it says that it is. May change while it runs.</summary>
internal sealed class GrayRole
{
    private const int Off = 0;
    private const int Normal = 1;
    private const int Gray = 2;

    private int _value;

    public GrayRole(ClientOptions options) => _value = Of(options.GraySwitch, options.GrayFlag);

    /// <summary>Raised after a change.</summary>
    public event Action? Changed;

    /// <summary>What heartbeats and pulls say; null where the client takes no part, which says nothing.</summary>
    public bool? Flag => Volatile.Read(ref _value) switch
    {
        Off => null,
        Gray => true,
        _ => false,
    };

    /// <summary>Whether the client takes part.</summary>
    public bool IsOn => Volatile.Read(ref _value) != Off;

    /// <summary>The side of what is sent here now: the client's own, or that of the call chain it is sent in.</summary>
    public Side SideOfMessage => Flag is { } flag && (flag || GrayContext.IsGray) ? Side.Gray : Side.Normal;

    public void Set(bool graySwitch, bool grayFlag)
    {
        int value = Of(graySwitch, grayFlag);
        if (Interlocked.Exchange(ref _value, value) != value)
        {
            Changed?.Invoke();
        }
    }

    private static int Of(bool graySwitch, bool grayFlag) => !graySwitch ? Off : grayFlag ? Gray : Normal;
}
