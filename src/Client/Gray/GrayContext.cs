using System.Diagnostics;
using GrayMQ.Gray;

namespace GrayMQ.Client.Gray;

/// <summary>
/// Whether what runs here belongs to a gray call chain. It follows async calls: while a handler works on a gray message, everything that
/// it sends is gray too. The same travels between services as baggage of the current <see cref="Activity"/>, under
/// <see cref="BaggageName"/>, which HttpClient and ASP.NET Core pass on: a service that was called over HTTP by a gray one is gray for
/// that call.
/// </summary>
public static class GrayContext
{
    /// <summary>Name of the baggage item; its value is <c>true</c>.</summary>
    public const string BaggageName = GrayMark.Property;

    private static readonly AsyncLocal<bool?> Current = new();

    /// <summary>Whether what is sent here is gray: what was entered last, else what the activity's baggage says.</summary>
    public static bool IsGray => Current.Value ?? (Activity.Current?.GetBaggageItem(BaggageName) == GrayMark.Value);

    /// <summary>Makes what runs from here on, until the value that is returned is disposed, gray or normal.</summary>
    public static Scope Enter(bool gray)
    {
        bool? before = Current.Value;
        Activity? activity = null;
        if (gray)
        {
            // One of its own: baggage that is set on the caller's would stay there.
            activity = new Activity("graymq.gray");
            activity.AddBaggage(BaggageName, GrayMark.Value);
            activity.Start();
        }

        Current.Value = gray;
        return new Scope(before, activity);
    }

    /// <summary>Ends what <see cref="Enter"/> began. Dispose it where it was made, and once.</summary>
    public readonly struct Scope : IDisposable, IEquatable<Scope>
    {
        private readonly bool? _before;
        private readonly Activity? _activity;

        internal Scope(bool? before, Activity? activity)
        {
            _before = before;
            _activity = activity;
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            _activity?.Stop();
            Current.Value = _before;
        }

        /// <inheritdoc/>
        public bool Equals(Scope other) => _before == other._before && ReferenceEquals(_activity, other._activity);

        /// <inheritdoc/>
        public override bool Equals(object? obj) => obj is Scope other && Equals(other);

        /// <inheritdoc/>
        public override int GetHashCode() => HashCode.Combine(_before, _activity);

        /// <summary>Whether both are the same scope.</summary>
        public static bool operator ==(Scope left, Scope right) => left.Equals(right);

        /// <summary>Whether they are different scopes.</summary>
        public static bool operator !=(Scope left, Scope right) => !left.Equals(right);
    }
}
