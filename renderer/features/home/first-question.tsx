import { Compass, LogIn, Sprout } from 'lucide-react'
import { useState } from 'react'
import type { ReactNode } from 'react'
import { useShell } from '../../app/shell.tsx'
import { StartCloud } from './start-cloud.tsx'

/** Asked once of a new folder. Every answer ends it; nothing here can be missed. */
export function FirstQuestion(): ReactNode {
  const { join, preferences, emitShortcut } = useShell()
  const [starting, setStarting] = useState(false)
  const answer = (): void => preferences.setState({ beginningChosen: true })
  return (
    <section className="section" aria-labelledby="home-first">
      <h2 id="home-first">What would you like to do?</h2>
      <div className="tiles">
        <Answer
          icon={<Sprout />}
          title="Start a cloud"
          text="For you and those you invite, or open to all."
          onClick={() => setStarting(true)}
        />
        <Answer
          icon={<LogIn />}
          title="Join by link or code"
          text="Somebody gave you a link, five words, or a key."
          onClick={() => {
            answer()
            join.setState({ inFront: true })
          }}
        />
        <Answer
          icon={<Compass />}
          title="Just browse"
          text="Look around first. All of this stays here on Home."
          onClick={() => {
            answer()
            emitShortcut('focus-address')
          }}
        />
      </div>
      {starting && <StartCloud onClose={() => setStarting(false)} onStarted={answer} />}
    </section>
  )
}

interface AnswerProps {
  icon: ReactNode
  title: string
  text: string
  onClick: () => void
}

function Answer({ icon, title, text, onClick }: AnswerProps): ReactNode {
  return (
    <button type="button" className="tile tile-button" onClick={onClick}>
      <span className="tile-icon" aria-hidden="true">
        {icon}
      </span>
      <span>
        <strong>{title}</strong>
        <span className="muted">{text}</span>
      </span>
    </button>
  )
}
